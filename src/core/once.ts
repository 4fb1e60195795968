/** A look that several checks share: carried out once, with the world of the first that asks. */
export function sharedLook<At, Seen>(look: (at: At) => Promise<Seen>): (at: At) => Promise<Seen> {
  let seen: Promise<Seen> | undefined
  return (at) => {
    seen ??= look(at)
    return seen
  }
}

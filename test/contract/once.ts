/** Told once, whichever test asks for it first. */
export function once(tell: () => Promise<void>): () => Promise<void> {
  let told: Promise<void> | undefined
  return () => {
    told ??= tell()
    return told
  }
}

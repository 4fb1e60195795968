type Environment = Readonly<Record<string, string | undefined>>

/** By the terminal's name, which alone passes through SSH. */
const KINDS = /^(xterm-kitty|xterm-ghostty|alacritty|foot|wezterm|contour)/
const PROGRAMS = /^(iTerm\.app|WezTerm|vscode|ghostty|Hyper|Tabby|rio)$/
/** The first version of VTE (GNOME's terminals) in which links don't crash: 0.50.1. */
const VTE = 5001

/**
 * Whether addresses may be sent as OSC 8 links (gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda).
 * There is no way to ask a terminal; FORCE_HYPERLINK, which other programs know, decides where it is set.
 */
export function showsLinks(environment: Environment): boolean {
  const { FORCE_HYPERLINK, TERM = '', TERM_PROGRAM = '', VTE_VERSION, WT_SESSION } = environment
  if (FORCE_HYPERLINK !== undefined) return FORCE_HYPERLINK !== '0'
  if (/^(dumb|linux|screen|tmux)/.test(TERM)) return false
  return (
    KINDS.test(TERM) ||
    PROGRAMS.test(TERM_PROGRAM) ||
    Number(VTE_VERSION) >= VTE ||
    WT_SESSION !== undefined ||
    environment.KONSOLE_VERSION !== undefined
  )
}

/** The address, shown whole and opened by a click; it holds no control characters. */
export function hyperlink(url: string): string {
  return `\u001B]8;;${url}\u001B\\${url}\u001B]8;;\u001B\\`
}

/** The directives of a unit's [Service] section, drop-ins applied. */
export interface SystemdUnit {
  readonly workingDirectory: string | undefined
  readonly execStart: string
  /** From `Environment=`. */
  readonly environment: ReadonlyMap<string, string>
  /** From `EnvironmentFile=`, without the `-` of optional ones; a later file wins. */
  readonly environmentFiles: readonly string[]
  /** From `UnsetEnvironment=`. */
  readonly unset: readonly string[]
}

/**
 * Reads unit text: the unit file first, then its drop-ins in their order. An empty assignment
 * clears the list (systemd.exec(5), systemd.unit(5)). `instance` fills in `%i`.
 */
export function readSystemdUnit(texts: readonly string[], instance = ''): SystemdUnit {
  let workingDirectory: string | undefined
  let execStart = ''
  let environment = new Map<string, string>()
  let environmentFiles: string[] = []
  let unset: string[] = []
  for (const [name, written] of texts.flatMap(serviceDirectives)) {
    const value = written.replace(/%[%iI]/g, (mark) => (mark === '%%' ? '%' : instance))
    if (name === 'WorkingDirectory') workingDirectory = value.replace(/^-/, '') || undefined
    if (name === 'ExecStart') execStart = value
    if (name === 'EnvironmentFile') {
      environmentFiles = value === '' ? [] : [...environmentFiles, value.replace(/^-/, '')]
    }
    if (name === 'UnsetEnvironment') unset = value === '' ? [] : [...unset, ...words(value)]
    if (name === 'Environment') {
      if (value === '') environment = new Map()
      for (const word of words(value)) {
        const equals = word.indexOf('=')
        if (equals > 0) environment.set(word.slice(0, equals), word.slice(equals + 1))
      }
    }
  }
  return { workingDirectory, execStart, environment, environmentFiles, unset }
}

function serviceDirectives(text: string): [string, string][] {
  let section = ''
  const found: [string, string][] = []
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const header = /^\s*\[([^\]]*)\]/.exec(line)
    if (header !== null) section = header[1] ?? ''
    const directive = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (section === 'Service' && directive !== null) {
      found.push([directive[1] ?? '', directive[2] ?? ''])
    }
  }
  return found
}

/** Splits at blanks; `"…"` and `'…'` keep theirs, a backslash quotes the next character. */
function words(value: string): string[] {
  const pieces = value.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/g) ?? []
  return pieces.map((piece) =>
    piece.replace(
      /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\\(.)/g,
      (_, double?: string, single?: string, char?: string) =>
        (double ?? single ?? char ?? '').replace(/\\(.)/g, '$1'),
    ),
  )
}

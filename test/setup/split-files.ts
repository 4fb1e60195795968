/** The files of a printed text by name, each with what stands below its heading. */
export function splitFiles(text: string): ReadonlyMap<string, string> {
  const [, ...parts] = text.split(/^# ---- (.+) ----$/m)
  const files = new Map<string, string>()
  for (let at = 0; at + 1 < parts.length; at += 2)
    files.set(String(parts[at]), String(parts[at + 1]).replace(/^---\n$/m, ''))
  return files
}

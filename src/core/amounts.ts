/** `12,345`, of whole numbers. Intl would take longer to load than most commands run. */
export function count(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 file`, `12,345 files` */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** `1 file that came in meanwhile was`, `12 files that came in meanwhile were` */
export function cameMeanwhile(files: number): string {
  return `${counted(files, 'file')} that came in meanwhile ${files === 1 ? 'was' : 'were'}`
}

const UNITS = ['KB', 'MB', 'GB', 'TB', 'PB']

/** `512 bytes`, `1.2 MB`: units of 1,000, as Cloudflare counts them. */
export function bytesOf(number: number): string {
  if (number < 1000) return counted(Math.round(number), 'byte')
  let [value, unit] = [number / 1000, 0]
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${UNITS[unit]}`
}

/** Milliseconds as `8 s`, `3 min`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(Math.round(ms / 1000), 0)
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  if (minutes < 600) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

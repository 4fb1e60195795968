/** Text without line breaks and runs of blanks: long paths wrap where the temporary folder is deep. */
export function unwrapped(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

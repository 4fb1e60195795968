/** The value of a variable; undefined where it is not set. */
export type LookUp = (name: string) => string | undefined

/** Told why compose itself would refuse the text. */
export type Refuse = (reason: string) => void

const NAME = '[_a-zA-Z][_a-zA-Z0-9]*'
const REFERENCE = new RegExp(`\\$(?:(\\$)|(${NAME})|\\{(${NAME}(?::?[-+?].*)?)\\}|(\\{))`, 'g')
const BRACED = new RegExp(`^\\$\\{(${NAME})(?:(:?[-+?])(.*))?\\}$`)

/**
 * Compose's `$NAME`, `${NAME}`, `$$` and the operators `:-` `-` `:+` `+` `:?` `?`, nested ones
 * included (docs.docker.com/reference/compose-file/interpolation; template.go of compose-go). A
 * missing name is empty. What compose refuses is told to `refuse` and left empty.
 */
export function interpolate(text: string, lookUp: LookUp, refuse: Refuse): string {
  return text.replace(
    REFERENCE,
    (whole, dollar?: string, bare?: string, braced?: string, broken?: string) => {
      if (dollar !== undefined) return '$'
      if (bare !== undefined) return lookUp(bare) ?? ''
      if (broken !== undefined || braced === undefined) {
        refuse('a "${" is not closed, or holds no name of a variable')
        return ''
      }
      // The pattern runs to the last brace of the line, the reference only to its own.
      const end = closingBrace(whole)
      const reference = end < 0 ? whole : whole.slice(0, end + 1)
      const rest = end < 0 ? '' : whole.slice(end + 1)
      return replaced(reference, lookUp, refuse) + interpolate(rest, lookUp, refuse)
    },
  )
}

function replaced(reference: string, lookUp: LookUp, refuse: Refuse): string {
  const [, name = '', operator = '', operand = ''] = BRACED.exec(reference) ?? []
  const value = lookUp(name)
  const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'))
  if (operator.endsWith('-')) return isSet ? value : interpolate(operand, lookUp, refuse)
  // Unset, it is empty; with ":+", set and empty, it is empty as well.
  if (operator.endsWith('+')) return isSet ? interpolate(operand, lookUp, refuse) : ''
  if (operator.endsWith('?') && !isSet) {
    const reason = interpolate(operand, lookUp, refuse)
    refuse(`the variable ${name} is needed and has no value${reason === '' ? '' : `: ${reason}`}`)
    return ''
  }
  return value ?? ''
}

/** Counted as compose counts: the character behind an opening brace is never one. */
function closingBrace(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '}') {
      depth -= 1
      if (depth === 0) return at
    } else if (text[at] === '{') {
      depth += 1
      at += 1
    }
  }
  return -1
}

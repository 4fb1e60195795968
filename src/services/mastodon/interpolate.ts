const REFERENCE = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+?])([^{}]*))?\})/g

/**
 * Compose's `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}` and `$$`
 * (docs.docker.com/reference/compose-file/interpolation). A missing name is empty.
 */
export function interpolate(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return text.replace(
    REFERENCE,
    (_, dollar?: string, bare?: string, braced?: string, operator = '', operand = '') => {
      if (dollar !== undefined) return '$'
      const value = values[bare ?? braced ?? '']
      const isSet = operator.startsWith(':')
        ? value !== undefined && value !== ''
        : value !== undefined
      if (operator.endsWith('-')) return isSet ? (value ?? '') : operand
      if (operator.endsWith('+')) return isSet ? operand : ''
      return value ?? ''
    },
  )
}

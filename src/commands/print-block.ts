/** The block for standard output: the one place where keys are shown, because they were asked for. */
export function formatBlock(
  values: ReadonlyMap<string, string>,
  format: 'env' | 'json',
  render: (values: ReadonlyMap<string, string>) => string,
): string {
  if (format === 'env') return render(values)
  return `${JSON.stringify(Object.fromEntries(values), undefined, 2)}\n`
}

/** The stages of `migrate` in their order; each one can be run alone. */
export const stages = [
  'survey',
  'announce',
  'cleanup',
  'copy',
  'cutover',
  'compare',
  'redirects',
] as const
export type Stage = (typeof stages)[number]

/** One truth for checks and steps. */
export { isForbidden } from '../../plan/forbidden.ts'

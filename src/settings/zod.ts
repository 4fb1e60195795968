// The part of zod that rules are made of: a lazy import of the whole would bring all of it along.
export { array, boolean, enum, literal, NEVER, string, union } from 'zod'

import { Refusal } from './refusal.ts'

/** "The specified bucket does not exist" (R2's error codes). */
const ABSENT = 10006

/** A bucket that does not exist has no rules, no domains and no objects: that is no refusal. */
export async function unlessAbsent<T>(absent: T, look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof Refusal && error.numbers.includes(ABSENT)) return absent
    throw error
  }
}

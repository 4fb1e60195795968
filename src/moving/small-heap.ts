import { setFlagsFromString } from 'node:v8'

/**
 * A stream of a million small objects otherwise lets V8's space for young ones grow to tens of
 * megabytes, of which nothing is needed a moment later, and that for old ones to twice what lives.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--max-semi-space-size=2')
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=25')
}

import type { Sandbox } from '../../../src/sandbox/sandbox.ts'
import { visit as visitHost } from '../public-host/visit.ts'

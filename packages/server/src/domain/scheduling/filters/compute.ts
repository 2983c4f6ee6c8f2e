import type { Filter } from '../types.ts'

export const computeFilter: Filter = { passes: (host) => host.up && !host.disabled }

import type { Filter } from '../types.ts'

export const runtimeFilter: Filter = {
  passes: (host, wanted) => wanted.runtime === null || host.has.runtimes.includes(wanted.runtime),
}

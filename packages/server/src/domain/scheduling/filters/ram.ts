import type { Filter } from '../types.ts'

/** Without any ratio or reserve. */
export const ramFilter: Filter = {
  passes: ({ has, used }, { memoryMiB }) => memoryMiB === 0 || has.memTotalMiB - used.memoryMiB >= memoryMiB,
}

import type { Filter } from '../types.ts'

/** Without any ratio: for operators who do not want cores to be promised twice. */
export const cpuFilter: Filter = {
  passes: ({ has, used }, { cpu }) => cpu === 0 || has.cpus - used.cpu >= cpu,
}

import type { Filter } from '../types.ts'

/** Without any ratio or reserve. */
export const diskFilter: Filter = {
  passes: ({ has, used }, { diskGiB }) =>
    diskGiB === 0 || (has.diskQuotaSupported && has.diskTotalGiB - used.diskGiB >= diskGiB),
}

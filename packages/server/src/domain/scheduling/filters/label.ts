import type { Filter } from '../types.ts'

const PREFIX = 'label:'

/** Hints with another prefix are somebody else's. */
export const labelFilter: Filter = {
  passes: ({ has }, wanted) =>
    Object.entries(wanted.hints).every(([hint, value]) => {
      if (!hint.startsWith(PREFIX)) return true
      const label = hint.slice(PREFIX.length)
      return Object.hasOwn(has.labels, label) && has.labels[label] === value
    }),
}

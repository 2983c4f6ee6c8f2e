/** Every option in the form of a zun.conf, so that the listing can be edited into one. */
import { IGNORED_OPTIONS } from './ignored-options.ts'
import type { Option } from './kinds.ts'
import { OPTIONS } from './options.ts'

export function referenceLines(): string[] {
  const options = Object.values<Option<unknown>>(OPTIONS)
  const groups = [...new Set(options.map(({ group }) => group))]
  return [
    ...groups.flatMap((group) => [
      `[${group}]`,
      '',
      ...options.filter((o) => o.group === group).flatMap((o) => [...entryOf(o), '']),
    ]),
    '# What follows is taken and has no effect.',
    ...IGNORED_OPTIONS.flatMap(({ group, names, why }) => ['', `# [${group}] ${names.join(', ')}`, `#   ${why}`]),
  ]
}

function entryOf({ name, type, limits, fallback, help, secret }: Option<unknown>): string[] {
  const kind = `(${type}${secret === true ? ', secret' : ''})${limits === '' ? '' : ` ${limits}`}`
  return [...(help === '' ? [] : [`# ${help}`]), `# ${kind}`, `#${name} = ${fallback ?? ''}`.trimEnd()]
}

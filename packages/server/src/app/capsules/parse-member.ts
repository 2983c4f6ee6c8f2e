/** One container of a template (capsules 2.4). */
import { IMAGE, NAME } from '@zund/contract/api/requests/container.ts'
import type { MemberTemplate } from '../../domain/capsule/types.ts'
import type { PullPolicy } from '../../orchestration/ports/wire.ts'
import { checkedWorkdir, isBelowRoot } from '../containers/create-input.ts'
import { bad, missing } from '../fields.ts'
import type { Limits } from '../options.ts'
import { invalidTemplate } from './invalid-template.ts'
import type { Part } from './part.ts'

const MOST_ARGUMENTS = 1_024
const MOST_VARIABLES = 1_024
const MOST_PORTS = 256
const MOST_MOUNTS = 64

const KEYS = [
  'image',
  'name',
  'command',
  'args',
  'resources',
  'ports',
  'volumeMounts',
  'env',
  'workDir',
  'imagePullPolicy',
  'stdin',
  'tty',
]
const NULLABLE = ['image', 'name', 'env', 'workDir', 'imagePullPolicy']

const PULL_POLICIES: Readonly<Record<string, PullPolicy>> = {
  never: 'never',
  always: 'always',
  ifnotpresent: 'ifnotpresent',
  Never: 'never',
  Always: 'always',
  IfNotPresent: 'ifnotpresent',
}

/** Keys that are not known are refused in a container and ignored in an init container, as is null. */
export function parseMember(
  part: Part,
  kind: 'container' | 'initContainer',
  volumes: ReadonlySet<string>,
  limits: Limits,
): MemberTemplate {
  const isStrict = kind === 'container'
  const closed = (one: Part, known: readonly string[], nullable: readonly string[] = []): void => {
    if (!isStrict) return
    one.refuseUnknown(known)
    one.refuseNull(nullable)
  }
  closed(part, KEYS, NULLABLE)
  const image = part.text('image', { min: 2, max: 255, pattern: IMAGE })
  if (image === undefined) {
    if (isStrict) throw missing(part.at('image'))
    throw invalidTemplate(part.at('image'), null, 'An init container must have an image')
  }
  // A member's own name is made by the service.
  part.text('name', { min: 2, max: 255, pattern: NAME })
  const pullPolicy = part.choice('imagePullPolicy', Object.keys(PULL_POLICIES))
  const workDir = part.at('workDir')
  return {
    image,
    command: parseCommand(part),
    ...parseResources(part, closed, limits),
    environment: parseEnv(part),
    workdir: checkedWorkdir({ [workDir]: part.raw('workDir') }, workDir),
    imagePullPolicy: pullPolicy === undefined ? null : (PULL_POLICIES[pullPolicy] ?? null),
    interactive: part.boolean('stdin') ?? false,
    tty: part.boolean('tty') ?? false,
    exposedPorts: parsePorts(part, closed),
    volumeMounts: parseVolumeMounts(part, closed, volumes),
  }
}

type Closed = (part: Part, known: readonly string[], nullable?: readonly string[]) => void

/** `args` follow the command, or are it where there is none. */
function parseCommand(part: Part): string[] | null {
  const words = ['command', 'args'].flatMap((name) =>
    (part.list(name, MOST_ARGUMENTS) ?? []).flatMap(({ item, path }) => {
      if (item === null) return []
      if (typeof item !== 'string') throw bad(path, item, 'It is not a string')
      if (item.includes('\0')) throw bad(path, item, 'It must not hold a NUL character')
      return [item]
    }),
  )
  return words.length === 0 ? null : words
}

function parseResources(part: Part, closed: Closed, limits: Limits): Pick<MemberTemplate, 'cpu' | 'memoryMiB'> {
  const resources = part.part('resources')
  if (resources === undefined || resources.isEmpty) return { cpu: null, memoryMiB: null }
  closed(resources, ['requests'])
  const requests = resources.part('requests')
  if (requests === undefined)
    throw invalidTemplate(resources.at('requests'), null, 'Resources that are not empty must have requests')
  closed(requests, ['cpu', 'memory'], ['cpu', 'memory'])
  return {
    cpu: requests.number('cpu', { min: limits.minimumCpus, max: limits.maximumCpus, integer: false }) ?? null,
    memoryMiB:
      requests.number('memory', { min: limits.minimumMemory, max: limits.maximumMemory, integer: true }) ?? null,
  }
}

function parseEnv(part: Part): Record<string, string> {
  const path = part.at('env')
  const environment: Record<string, string> = {}
  for (const [key, value] of part.entries('env', MOST_VARIABLES) ?? []) {
    if (key === '' || key.includes('=') || key.includes('\0')) {
      throw bad(path, key, "A name must have at least 1 character and no '=' or NUL")
    }
    if (typeof value !== 'string') throw bad(`${path}.${key}`, value, 'It is not a string')
    if (value.includes('\0')) throw bad(`${path}.${key}`, value, 'It must not hold a NUL character')
    environment[key] = value
  }
  return environment
}

function parsePorts(part: Part, closed: Closed): string[] {
  const range = { min: 0, max: 65_535, integer: true } as const
  const ports = part.parts('ports', MOST_PORTS).map((port) => {
    closed(port, ['name', 'containerPort', 'hostPort', 'protocol'], ['containerPort'])
    port.text('name', { max: 255 })
    port.number('hostPort', range)
    const number = port.number('containerPort', range)
    if (number === undefined) throw missing(port.at('containerPort'))
    const protocol = (port.choice('protocol', ['TCP', 'UDP']) ?? 'TCP').toLowerCase()
    // There is no port 0 to be opened.
    return number === 0 ? [] : [`${number}/${protocol}`]
  })
  return [...new Set(ports.flat())]
}

function parseVolumeMounts(part: Part, closed: Closed, volumes: ReadonlySet<string>): MemberTemplate['volumeMounts'] {
  const destinations = new Set<string>()
  return part.parts('volumeMounts', MOST_MOUNTS).flatMap((mount) => {
    closed(mount, ['name', 'mountPath', 'readOnly'], ['name', 'mountPath'])
    const volume = mount.text('name', { min: 2, max: 255, pattern: NAME })
    if (volume === undefined) throw missing(mount.at('name'))
    const mountPath = mount.text('mountPath', { max: 4_096 })
    if (mountPath === undefined) throw missing(mount.at('mountPath'))
    // It is accepted and means nothing.
    mount.boolean('readOnly')
    if (!volumes.has(volume)) return []
    const path = mount.at('mountPath')
    if (!isBelowRoot(mountPath)) throw invalidTemplate(path, mountPath, 'It must be an absolute path below /')
    const destination = mountPath.replaceAll(/\/+/g, '/').replace(/\/$/, '')
    if (destinations.has(destination)) throw invalidTemplate(path, mountPath, 'The container mounts there already')
    destinations.add(destination)
    return [{ volume, mountPath }]
  })
}

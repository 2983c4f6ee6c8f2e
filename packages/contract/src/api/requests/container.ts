/** Bodies of containers (containers 3.2, 6). Rules between fields are the server's. */
import { bad, missing, required, type About, type Field, type Given } from '../../fields/field.ts'
import {
  anyObject,
  choice,
  flag,
  jsonBoolean,
  map,
  number,
  object,
  objects,
  strings,
  text,
  texts,
  textSchema,
} from '../../fields/kinds.ts'
import type { Limits } from '../limits.ts'

export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const HOST = /^[a-zA-Z0-9\-._]*$/
export const IMAGE = /[a-zA-Z0-9][a-zA-Z0-9_.-]/
const PULL_POLICIES = ['never', 'always', 'ifnotpresent', 'Never', 'Always', 'IfNotPresent'] as const

/** Decoded bytes of one injected file, and how many mounts and networks a container may have. */
export const LARGEST_FILE_BYTES = 1024 * 1024
const MOST_MOUNTS = 64
const MOST_NETS = 16

/** CVE-2024-21626: a working directory below /proc can point outside of the container. */
export const WORKDIR = text(
  { max: 255 },
  {
    about: 'An absolute path that is not below /proc.',
    check: (path) => {
      if (path === '') return undefined
      if (!path.startsWith('/')) return 'It must be an absolute path'
      return /^\/+proc(\/|$)/.test(path) ? 'It must not be below /proc' : undefined
    },
  },
)

const NOT_NULL = { refusesNull: 'It must not be null' }

export const imageName = (about: About = {}) => text({ min: 2, max: 255, pattern: IMAGE }, about)

export const pullPolicy = (about: About = {}) => choice(PULL_POLICIES, about)

const cpu = (limits: Limits, more: About = {}) =>
  number({ min: limits.minimumCpus, max: limits.maximumCpus, integer: false }, { about: 'Cores.', ...more })

const memory = (limits: Limits, more: About = {}) =>
  number({ min: limits.minimumMemory, max: limits.maximumMemory, integer: true }, { about: 'MiB.', ...more })

export function createFields(limits: Limits) {
  return {
    image: required(imageName({ about: 'Name of the image, with a registry and a tag or not.' })),
    name: text({ min: 2, max: 255, pattern: NAME }, { about: 'Absent: one is made up.' }),
    command: command(),
    entrypoint: strings({ about: 'Empty: that of the image.', knownSince: 40 }),
    cpu: cpu(limits),
    cpu_policy: choice(['shared', 'dedicated'], { refusesNull: 'It is not one of shared, dedicated' }),
    memory: memory(limits),
    disk: number({ min: limits.minimumDisk, max: limits.maximumDisk, integer: true }, { about: 'GiB.' }),
    workdir: WORKDIR,
    environment: map<string, string>({ type: 'string' }, environmentEntry, { about: 'Names have no `=`.' }),
    labels: map<string, string | number | boolean>({ type: ['string', 'number', 'boolean'] }, labelEntry, {
      about: 'The prefix `org.openstack.zund.` is reserved.',
    }),
    hostname: text({ max: 63, pattern: HOST }, { since: 9 }),
    image_driver: text({ min: 1, max: 255 }, { about: 'The word `None` is as good as none.' }),
    image_pull_policy: pullPolicy(),
    restart_policy: restartPolicy(),
    interactive: flag({ about: 'Keep standard input open.' }),
    tty: flag({ about: 'From 1.20 to 1.35 `interactive`, if given, is used in its place.' }),
    auto_remove: jsonBoolean({ since: 3, about: 'Not together with a restart policy other than `no`.' }),
    auto_heal: flag(),
    privileged: flag({ since: 21 }),
    runtime: text({ max: 32 }, { since: 5 }),
    security_groups: texts({ min: 1, max: 255 }),
    exposed_ports: map<Record<string, never>, unknown>({}, portEntry, {
      since: 24,
      about: '`PORT` or `PORT/PROTOCOL`, with any value. Not together with `security_groups`.',
    }),
    nets: objects(NET_FIELDS, {
      most: MOST_NETS,
      about: 'Exactly one of `network` and `port` in each.',
      check: (given) =>
        (given['network'] === undefined) === (given['port'] === undefined)
          ? 'Exactly one of network and port must be given'
          : undefined,
    }),
    mounts: objects(MOUNT_FIELDS, { most: MOST_MOUNTS, since: 11, about: 'One of `source` and `size` in each.' }),
    healthcheck: object(HEALTHCHECK_FIELDS, { since: 22, emptyIsNone: true }),
    availability_zone: text({ max: 255 }),
    hints: anyObject({ about: 'For the scheduler.' }),
    registry: text({ min: 2, max: 255, pattern: NAME }, { since: 31, about: 'Name or uuid.' }),
    host: text({ min: 1, max: 255, pattern: HOST }, { knownSince: 39, about: 'The host it is to run on.' }),
  }
}
export type CreateContainer = Given<ReturnType<typeof createFields>>

/** Of PATCH and of resize_container. */
export function updateFields(limits: Limits) {
  return {
    name: text({ min: 2, max: 255, pattern: NAME }, NOT_NULL),
    cpu: cpu(limits, NOT_NULL),
    memory: memory(limits, NOT_NULL),
    auto_heal: flag(NOT_NULL),
  }
}
export type UpdateContainer = Given<ReturnType<typeof updateFields>>

const NET_FIELDS = {
  network: text({ min: 1, max: 255 }, { about: 'Name or uuid.' }),
  port: text({ min: 1, max: 255 }, { about: 'Name or uuid.' }),
  'v4-fixed-ip': text({ max: 64 }),
  'v6-fixed-ip': text({ max: 64 }),
}

export const MOUNT_SIZE = { min: 1, max: 16_384, integer: true }

const MOUNT_FIELDS = {
  destination: required(text({ min: 1, max: 4096 }, { about: 'An absolute path.' })),
  type: text({}, { about: '`volume`, or `bind` for a file.' }),
  source: text({ max: 2 * LARGEST_FILE_BYTES }, { about: 'Name or uuid of a volume; base64 of a file.' }),
  size: mountSize(),
}

/** It is only looked at where a volume is to be made. */
function mountSize(): Field<unknown, number | string> {
  return { ...number(MOUNT_SIZE), about: 'GiB of a new volume.', read: (value) => value }
}

const seconds = () => number({ min: 0, max: 86_400, integer: true }, { about: 'Seconds.' })

const HEALTHCHECK_FIELDS = {
  cmd: text({ min: 1, max: 255 }),
  interval: seconds(),
  timeout: seconds(),
  retries: number({ min: 0, max: 1000, integer: true }),
}

const RESTART_POLICIES = ['no', 'always', 'on-failure', 'unless-stopped'] as const

function restartPolicy() {
  const count = number({ min: 0, max: 2 ** 31 - 1, integer: true })
  const name: Field<(typeof RESTART_POLICIES)[number], (typeof RESTART_POLICIES)[number]> = {
    schema: () => ({ type: 'string', enum: [...RESTART_POLICIES] }),
    refusesNull: `Name is not one of ${RESTART_POLICIES.join(', ')}`,
    read: (value) => {
      const found = RESTART_POLICIES.find((word) => word === value)
      if (found !== undefined) return found
      throw bad('restart_policy', { Name: value }, `Name is not one of ${RESTART_POLICIES.join(', ')}`)
    },
  }
  const policy = object({ Name: required(name), MaximumRetryCount: count })
  return {
    ...policy,
    about: 'A count only with `on-failure`.',
    read: (value: unknown, field: string, minor: number) => {
      if (typeof value === 'object' && value !== null && !('Name' in value)) throw missing('restart_policy.Name')
      return policy.read(value, field, minor)
    },
  }
}

/** Up to 1.19 a line, which is split as a shell would; after that a list of words. */
function command(): Field<string | string[], string | readonly string[]> {
  const list = strings()
  return {
    about: 'Empty: that of the image.',
    schema: (minor) => (minor >= 20 ? list.schema(minor) : textSchema({})),
    read: (value, name, minor) => {
      if (minor >= 20) return list.read(value, name, minor)
      if (typeof value !== 'string') throw bad(name, value, 'Before version 1.20 it is a string')
      return value
    },
  }
}

function environmentEntry(key: string, value: unknown, field: string): readonly [string, string] {
  if (key === '' || key.includes('=') || key.includes('\0')) {
    throw bad(field, key, "A name must have at least 1 character and no '='")
  }
  if (typeof value !== 'string' || value.includes('\0')) {
    throw bad(field, value, `The value of ${key} must be a string`)
  }
  return [key, value]
}

function labelEntry(key: string, value: unknown, field: string): readonly [string, string] {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw bad(field, value, `The value of ${key} must be a string, a number or a boolean`)
  }
  if (key.startsWith('org.openstack.zund.')) throw bad(field, key, 'The prefix org.openstack.zund. is reserved')
  return [key, String(value)]
}

function portEntry(key: string, _value: unknown, field: string): readonly [string, Record<string, never>] {
  const [port = '', protocol = 'tcp', ...more] = key.split('/')
  if (more.length > 0 || (protocol !== 'tcp' && protocol !== 'udp')) {
    throw bad(field, key, 'The protocol must be tcp or udp')
  }
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw bad(field, key, 'The port must be between 1 and 65535')
  }
  return [`${Number(port)}/${protocol}`, {}]
}

/** The body of a create (containers 3.2 and 3.3): its fields are declared in the contract, rules between them are here. */
import { createFields, LARGEST_FILE_BYTES, MOUNT_SIZE, WORKDIR } from '@zund/contract/api/requests/container.ts'
import type { Read } from '@zund/contract/fields/field.ts'
import ipaddr from 'ipaddr.js'
import { InvalidInput } from '../../domain/errors.ts'
import { shellWords } from '../../domain/shell-words.ts'
import type { Healthcheck, PullPolicy, RestartPolicy } from '../../orchestration/ports/wire.ts'
import { bad, numberField, readFields, type Body } from '../fields.ts'
import type { Limits } from '../options.ts'
import type { NetRequest } from '../ports/network-planner.ts'
import type { MountRequest } from './plan-mounts.ts'

export interface CreateInput {
  readonly image: string
  readonly name: string | null
  readonly command: string[] | null
  readonly entrypoint: string[] | null
  readonly cpu: number | null
  readonly cpuPolicy: 'shared' | 'dedicated'
  readonly memoryMiB: number | null
  readonly diskGiB: number | null
  readonly workdir: string | null
  readonly environment: Record<string, string>
  readonly labels: Record<string, string>
  readonly hostname: string | null
  readonly imageDriver: string | null
  readonly imagePullPolicy: PullPolicy | null
  readonly restartPolicy: RestartPolicy | null
  readonly interactive: boolean
  readonly tty: boolean
  readonly autoRemove: boolean
  readonly autoHeal: boolean
  /** undefined: the field was not given, so its rule is not asked. */
  readonly privileged: boolean | undefined
  readonly runtime: string | null
  readonly securityGroups: string[]
  readonly exposedPorts: string[]
  readonly nets: NetRequest[]
  readonly mounts: MountRequest[]
  readonly healthcheck: Healthcheck | null
  readonly availabilityZone: string | null
  readonly hints: Record<string, unknown>
  readonly registry: string | null
  readonly host: string | null
}

type Given = Read<ReturnType<typeof createFields>>

export function parseCreate(body: Body, minor: number, limits: Limits): CreateInput {
  const given = readFields(createFields(limits), body, minor)
  const { cpu = null, cpu_policy: cpuPolicy = 'shared', auto_remove: autoRemove = false } = given
  if (cpuPolicy === 'dedicated' && cpu !== null && !Number.isInteger(cpu)) {
    throw bad('cpu', cpu, 'With cpu_policy dedicated it must be a whole number of cores')
  }
  const restartPolicy = restartPolicyOf(given)
  if (autoRemove && restartPolicy !== null && restartPolicy.name !== 'no') {
    throw new InvalidInput(`auto_remove and restart_policy '${restartPolicy.name}' exclude each other.`)
  }
  const { security_groups: securityGroups = [] } = given
  const exposedPorts = Object.keys(given.exposed_ports ?? {})
  if (exposedPorts.length > 0 && securityGroups.length > 0) {
    throw bad('exposed_ports', body['exposed_ports'], 'It cannot be given together with security_groups')
  }
  return {
    image: given.image,
    name: given.name ?? null,
    command: commandOf(given.command),
    entrypoint: nonEmpty(given.entrypoint),
    cpu,
    cpuPolicy,
    memoryMiB: given.memory ?? null,
    diskGiB: given.disk ?? null,
    workdir: given.workdir || null,
    environment: given.environment ?? {},
    labels: given.labels ?? {},
    hostname: given.hostname || null,
    imageDriver: given.image_driver === undefined || given.image_driver === 'None' ? null : given.image_driver,
    imagePullPolicy: given.image_pull_policy === undefined ? null : PULL_POLICIES[given.image_pull_policy],
    restartPolicy,
    interactive: given.interactive ?? false,
    tty: ttyOf(given, minor),
    autoRemove,
    autoHeal: given.auto_heal ?? false,
    privileged: given.privileged,
    // The dashboard sends the empty text for what was not chosen.
    runtime: given.runtime || null,
    securityGroups: [...new Set(securityGroups)],
    exposedPorts,
    nets: (given.nets ?? []).map(netOf),
    mounts: mountsOf(given.mounts ?? []),
    healthcheck: healthcheckOf(given),
    availabilityZone: given.availability_zone || null,
    hints: given.hints ?? {},
    registry: given.registry ?? null,
    host: given.host ?? null,
  }
}

const PULL_POLICIES = {
  never: 'never',
  always: 'always',
  ifnotpresent: 'ifnotpresent',
  Never: 'never',
  Always: 'always',
  IfNotPresent: 'ifnotpresent',
} as const satisfies Record<string, PullPolicy>

/** A line is split as a shell would. */
function commandOf(command: Given['command']): string[] | null {
  const words = typeof command === 'string' ? shellWords(command) : (command ?? [])
  if (words === undefined) throw bad('command', command, 'A quote in it is not closed')
  return nonEmpty(words)
}

/** An empty list means "the image's own", as the command line client sends it. */
function nonEmpty(list: string[] | undefined): string[] | null {
  return list === undefined || list.length === 0 ? null : list
}

/** `name` is how messages call it. */
export function checkedWorkdir(body: Body, name: string): string | null {
  return readFields({ [name]: WORKDIR }, { [name]: body[name] }, 1)[name] || null
}

function restartPolicyOf({ restart_policy: policy }: Given): RestartPolicy | null {
  if (policy === undefined) return null
  const { Name: name, MaximumRetryCount: count = 0 } = policy
  if (count !== 0 && (name === 'always' || name === 'unless-stopped')) {
    throw bad('restart_policy', policy, `MaximumRetryCount must be 0 with ${name}`)
  }
  return { name, maximumRetryCount: name === 'no' ? 0 : count }
}

/** Up to 1.35 a terminal goes with standard input; from 1.36 each is asked for by itself. */
function ttyOf({ tty = false, interactive }: Given, minor: number): boolean {
  return minor >= 20 && minor < 36 && interactive !== undefined ? interactive : tty
}

function healthcheckOf({ healthcheck: check }: Given): Healthcheck | null {
  if (check === undefined) return null
  const { cmd = null, interval = null, timeout = null, retries = null } = check
  return { test: cmd, intervalS: interval, timeoutS: timeout, retries }
}

type Net = NonNullable<Given['nets']>[number]

function netOf(net: Net): NetRequest {
  const { network = null, port = null } = net
  return { network, port, ipv4: addressOf(net, 'v4-fixed-ip', 'IPv4'), ipv6: addressOf(net, 'v6-fixed-ip', 'IPv6') }
}

function addressOf(net: Net, name: 'v4-fixed-ip' | 'v6-fixed-ip', kind: 'IPv4' | 'IPv6'): string | null {
  const value = net[name]
  if (value === undefined || value === '') return null
  const valid = kind === 'IPv4' ? ipaddr.IPv4.isValidFourPartDecimal(value) : ipaddr.IPv6.isValid(value)
  if (!valid) throw bad(name, value, `It is not an ${kind} address`)
  return value
}

type Mount = NonNullable<Given['mounts']>[number]

function mountsOf(mounts: readonly Mount[]): MountRequest[] {
  const requests = mounts.map(mountOf)
  const destinations = requests.map((mount) => mount.destination.replace(/\/+$/, ''))
  const twice = destinations.find((destination, i) => destinations.indexOf(destination) !== i)
  if (twice !== undefined) throw bad('mounts', twice, 'A destination is given twice')
  return requests
}

function mountOf(mount: Mount): MountRequest {
  const { destination, type = 'volume', source = '', size } = mount
  if (!isBelowRoot(destination)) {
    throw bad('mounts', destination, 'destination must be an absolute path below /')
  }
  if (type === 'bind') return { kind: 'file', contents: checkedBase64(source), destination }
  if (type !== 'volume') throw bad('mounts', type, 'type is not one of volume, bind')
  if (source !== '') return { kind: 'existing', source, destination }
  const sizeGiB = numberField({ size }, 'size', MOUNT_SIZE)
  if (sizeGiB === undefined) throw bad('mounts', mount, 'One of source and size must be given')
  return { kind: 'new', sizeGiB, destination }
}

export function isBelowRoot(path: string): boolean {
  return path.startsWith('/') && !path.split('/').includes('..') && !/^\/+$/.test(path)
}

function checkedBase64(text: string): string {
  const clean = text.replaceAll(/\s+/g, '')
  if (clean.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(clean)) {
    throw new InvalidInput(
      `The source of a bind mount must be base64: '${shownStart(text)}' is not.`,
      'base64-exception',
    )
  }
  const bytes = (clean.length / 4) * 3
  if (bytes > LARGEST_FILE_BYTES) throw bad('mounts', bytes, `A file may have at most ${LARGEST_FILE_BYTES} bytes`)
  return clean
}

function shownStart(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

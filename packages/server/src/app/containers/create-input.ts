/** The body of a create, field by field (containers 3.2 and 3.3), as the microversion has it. */
import ipaddr from 'ipaddr.js'
import { InvalidInput, NotFound } from '../../domain/errors.ts'
import { shellWords } from '../../domain/shell-words.ts'
import type { Healthcheck, PullPolicy, RestartPolicy } from '../../orchestration/ports/wire.ts'
import {
  bad,
  booleanField,
  isObject,
  listField,
  missing,
  numberField,
  objectField,
  refuseUnknownFields,
  stringList,
  textField,
  type Body,
} from '../fields.ts'
import type { Limits } from '../options.ts'
import type { MountRequest } from './plan-mounts.ts'
import type { NetRequest } from './plan-networks.ts'

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

const FIELDS = [
  'image',
  'name',
  'command',
  'cpu',
  'cpu_policy',
  'memory',
  'disk',
  'workdir',
  'environment',
  'labels',
  'hostname',
  'image_driver',
  'image_pull_policy',
  'restart_policy',
  'interactive',
  'tty',
  'auto_remove',
  'auto_heal',
  'privileged',
  'runtime',
  'security_groups',
  'exposed_ports',
  'nets',
  'mounts',
  'healthcheck',
  'availability_zone',
  'hints',
  'registry',
]

export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const HOST = /^[a-zA-Z0-9\-._]*$/
export const IMAGE = /[a-zA-Z0-9][a-zA-Z0-9_.-]/

/** Decoded bytes of one injected file, and how many mounts a container may have. */
const LARGEST_FILE_BYTES = 1024 * 1024
const MOST_MOUNTS = 64
const MOST_NETS = 16

export function parseCreate(body: Body, minor: number, limits: Limits): CreateInput {
  refuseUnknownFields(body, [...FIELDS, ...(minor >= 39 ? ['host'] : []), ...(minor >= 40 ? ['entrypoint'] : [])])
  const image = textField(body, 'image', { min: 2, max: 255, pattern: IMAGE })
  if (image === undefined) throw missing('image')
  const cpuPolicy = parseCpuPolicy(body)
  const cpu = parseCpu(body, limits)
  if (cpuPolicy === 'dedicated' && cpu !== null && !Number.isInteger(cpu)) {
    throw bad('cpu', cpu, 'With cpu_policy dedicated it must be a whole number of cores')
  }
  const interactive = booleanField(body, 'interactive')
  const autoRemove = gated(body, 'auto_remove', minor, 3, parseAutoRemove(body))
  const restartPolicy = parseRestartPolicy(body)
  if (autoRemove === true && restartPolicy !== null && restartPolicy.name !== 'no') {
    throw new InvalidInput(`auto_remove and restart_policy '${restartPolicy.name}' exclude each other.`)
  }
  const securityGroups = stringList(body, 'security_groups') ?? []
  for (const group of securityGroups) textField({ security_groups: group }, 'security_groups', { min: 1, max: 255 })
  const exposedPorts = parseExposedPorts(body)
  if (exposedPorts.length > 0) {
    requireMinor('exposed_ports', minor, 24)
    if (securityGroups.length > 0) {
      throw bad('exposed_ports', body['exposed_ports'], 'It cannot be given together with security_groups')
    }
  }
  const hostname = textField(body, 'hostname', { min: 0, max: 63, pattern: HOST })
  const healthcheck = parseHealthcheck(body)
  if (healthcheck !== null) requireMinor('healthcheck', minor, 22)
  const mounts = parseMounts(body)
  if (mounts.length > 0) requireMinor('mounts', minor, 11)
  const hints = objectField(body, 'hints') ?? {}
  return {
    image,
    name: textField(body, 'name', { min: 2, max: 255, pattern: NAME }) ?? null,
    command: parseCommand(body, minor),
    entrypoint: minor >= 40 ? nonEmpty(stringList(body, 'entrypoint')) : null,
    cpu,
    cpuPolicy,
    memoryMiB: parseMemory(body, limits),
    diskGiB: numberField(body, 'disk', { min: limits.minimumDisk, max: limits.maximumDisk, integer: true }) ?? null,
    workdir: checkedWorkdir(body, 'workdir'),
    environment: parseEnvironment(body),
    labels: parseLabels(body),
    hostname: gated(body, 'hostname', minor, 9, hostname === '' ? null : (hostname ?? null)),
    imageDriver: noneIsNull(textField(body, 'image_driver', { min: 1, max: 255 })),
    imagePullPolicy: parsePullPolicy(body),
    restartPolicy,
    interactive: interactive ?? false,
    tty: parseTty(body, minor, interactive),
    autoRemove: autoRemove ?? false,
    autoHeal: booleanField(body, 'auto_heal') ?? false,
    privileged: gated(body, 'privileged', minor, 21, booleanField(body, 'privileged')),
    // The dashboard sends the empty text for what was not chosen.
    runtime: gated(body, 'runtime', minor, 5, textField(body, 'runtime', { max: 32 })) || null,
    securityGroups: [...new Set(securityGroups)],
    exposedPorts,
    nets: parseNets(body),
    mounts,
    healthcheck,
    availabilityZone: textField(body, 'availability_zone', { max: 255 }) || null,
    hints,
    registry:
      gated(body, 'registry', minor, 31, textField(body, 'registry', { min: 2, max: 255, pattern: NAME })) ?? null,
    host: minor >= 39 ? (textField(body, 'host', { min: 1, max: 255, pattern: HOST }) ?? null) : null,
  }
}

export function parseCpu(body: Body, limits: Limits): number | null {
  return numberField(body, 'cpu', { min: limits.minimumCpus, max: limits.maximumCpus, integer: false }) ?? null
}

export function parseMemory(body: Body, limits: Limits): number | null {
  return numberField(body, 'memory', { min: limits.minimumMemory, max: limits.maximumMemory, integer: true }) ?? null
}

/** A field that was given below the version it came with. */
function gated<T>(body: Body, name: string, minor: number, since: number, value: T): T {
  if (body[name] !== undefined && body[name] !== null) requireMinor(name, minor, since)
  return value
}

function requireMinor(name: string, minor: number, since: number): void {
  if (minor >= since) return
  throw new InvalidInput(
    `Invalid param ${name} because current request version is 1.${minor}. ${name} is only supported from version 1.${since}.`,
    'invalid-param-in-version',
  )
}

function parseCommand(body: Body, minor: number): string[] | null {
  const value = body['command']
  if (value === undefined || value === null) return null
  if (minor >= 20) return nonEmpty(stringList(body, 'command'))
  if (typeof value !== 'string') throw bad('command', value, 'Before version 1.20 it is a string')
  const words = shellWords(value)
  if (words === undefined) throw bad('command', value, 'A quote in it is not closed')
  return nonEmpty(words)
}

/** An empty list means "the image's own", as the command line client sends it. */
function nonEmpty(list: string[] | undefined): string[] | null {
  return list === undefined || list.length === 0 ? null : list
}

function noneIsNull(text: string | undefined): string | null {
  return text === undefined || text === 'None' ? null : text
}

function parseCpuPolicy(body: Body): 'shared' | 'dedicated' {
  const value = body['cpu_policy']
  if (value === undefined) return 'shared'
  if (value !== 'shared' && value !== 'dedicated') throw bad('cpu_policy', value, 'It is not one of shared, dedicated')
  return value
}

/** CVE-2024-21626: a working directory below /proc can point outside of the container. */
export function checkedWorkdir(body: Body, name: string): string | null {
  const value = textField(body, name, { max: 255 }) ?? null
  if (value === null || value === '') return null
  if (!value.startsWith('/')) throw bad(name, value, 'It must be an absolute path')
  if (/^\/+proc(\/|$)/.test(value)) throw bad(name, value, 'It must not be below /proc')
  return value
}

function parseEnvironment(body: Body): Record<string, string> {
  const given = objectField(body, 'environment') ?? {}
  const environment: Record<string, string> = {}
  for (const [key, value] of Object.entries(given)) {
    if (key === '' || key.includes('=') || key.includes('\0')) {
      throw bad('environment', key, "A name must have at least 1 character and no '='")
    }
    if (typeof value !== 'string' || value.includes('\0')) {
      throw bad('environment', value, `The value of ${key} must be a string`)
    }
    environment[key] = value
  }
  return environment
}

function parseLabels(body: Body): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [key, value] of Object.entries(objectField(body, 'labels') ?? {})) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw bad('labels', value, `The value of ${key} must be a string, a number or a boolean`)
    }
    if (key.startsWith('org.openstack.zund.')) {
      throw bad('labels', key, 'The prefix org.openstack.zund. is reserved')
    }
    labels[key] = String(value)
  }
  return labels
}

function parsePullPolicy(body: Body): PullPolicy | null {
  const value = body['image_pull_policy']
  if (value === undefined || value === null) return null
  const known = ['never', 'always', 'ifnotpresent', 'Never', 'Always', 'IfNotPresent']
  if (typeof value !== 'string' || !known.includes(value)) {
    throw bad('image_pull_policy', value, `It is not one of ${known.join(', ')}`)
  }
  return value.toLowerCase() as PullPolicy
}

function parseRestartPolicy(body: Body): RestartPolicy | null {
  const policy = objectField(body, 'restart_policy')
  if (policy === undefined) return null
  refuseUnknownFields(policy, ['Name', 'MaximumRetryCount'])
  const name = policy['Name']
  if (name === undefined) throw missing('restart_policy.Name')
  if (name !== 'no' && name !== 'always' && name !== 'on-failure' && name !== 'unless-stopped') {
    throw bad('restart_policy', policy, 'Name is not one of no, always, on-failure, unless-stopped')
  }
  const count = numberField(policy, 'MaximumRetryCount', { min: 0, max: 2 ** 31 - 1, integer: true }) ?? 0
  if (count !== 0 && (name === 'always' || name === 'unless-stopped')) {
    throw bad('restart_policy', policy, `MaximumRetryCount must be 0 with ${name}`)
  }
  return { name, maximumRetryCount: name === 'no' ? 0 : count }
}

function parseAutoRemove(body: Body): boolean | undefined {
  const value = body['auto_remove']
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw bad('auto_remove', value, 'It is not a boolean')
  return value
}

/** Up to 1.35 a terminal goes with standard input; from 1.36 each is asked for by itself. */
function parseTty(body: Body, minor: number, interactive: boolean | undefined): boolean {
  const tty = booleanField(body, 'tty') ?? false
  return minor >= 20 && minor < 36 && interactive !== undefined ? interactive : tty
}

function parseExposedPorts(body: Body): string[] {
  return Object.keys(objectField(body, 'exposed_ports') ?? {}).map((key) => {
    const [port = '', protocol = 'tcp', ...more] = key.split('/')
    if (more.length > 0 || (protocol !== 'tcp' && protocol !== 'udp')) {
      throw bad('exposed_ports', key, 'The protocol must be tcp or udp')
    }
    if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
      throw bad('exposed_ports', key, 'The port must be between 1 and 65535')
    }
    return `${Number(port)}/${protocol}`
  })
}

function parseHealthcheck(body: Body): Healthcheck | null {
  const check = objectField(body, 'healthcheck')
  if (check === undefined || Object.keys(check).length === 0) return null
  refuseUnknownFields(check, ['cmd', 'interval', 'timeout', 'retries'])
  const seconds = { min: 0, max: 86_400, integer: true }
  return {
    test: textField(check, 'cmd', { min: 1, max: 255 }) ?? null,
    intervalS: numberField(check, 'interval', seconds) ?? null,
    timeoutS: numberField(check, 'timeout', seconds) ?? null,
    retries: numberField(check, 'retries', { min: 0, max: 1000, integer: true }) ?? null,
  }
}

function parseNets(body: Body): NetRequest[] {
  const nets = listField(body, 'nets') ?? []
  if (nets.length > MOST_NETS) throw bad('nets', nets.length, `There must be at most ${MOST_NETS}`)
  return nets.map((net) => {
    if (!isObject(net)) throw bad('nets', net, 'Every item must be an object')
    refuseUnknownFields(net, ['network', 'port', 'v4-fixed-ip', 'v6-fixed-ip'])
    if ((net['network'] === undefined) === (net['port'] === undefined)) {
      throw bad('nets', net, 'Exactly one of network and port must be given')
    }
    const port = textField(net, 'port', { min: 1, max: 255 })
    // The built-in network service has no ports that a user could have made beforehand.
    if (port !== undefined) throw new NotFound(`Port ${port} could not be found.`, 'port-not-found')
    const network = textField(net, 'network', { min: 1, max: 255 })
    if (network === undefined) throw bad('nets', net, 'network must be a string')
    return { network, ipv4: parseAddress(net, 'v4-fixed-ip', 'ipv4'), ipv6: parseAddress(net, 'v6-fixed-ip', 'ipv6') }
  })
}

export function parseAddress(body: Body, name: string, kind: 'ipv4' | 'ipv6'): string | null {
  const value = textField(body, name, { max: 64 })
  if (value === undefined || value === '') return null
  const valid = kind === 'ipv4' ? ipaddr.IPv4.isValidFourPartDecimal(value) : ipaddr.IPv6.isValid(value)
  if (!valid) throw bad(name, value, `It is not an ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} address`)
  return value
}

function parseMounts(body: Body): MountRequest[] {
  const mounts = listField(body, 'mounts') ?? []
  if (mounts.length > MOST_MOUNTS) throw bad('mounts', mounts.length, `There must be at most ${MOST_MOUNTS}`)
  const parsed = mounts.map(parseMount)
  const destinations = parsed.map((mount) => mount.destination.replace(/\/+$/, ''))
  const twice = destinations.find((destination, i) => destinations.indexOf(destination) !== i)
  if (twice !== undefined) throw bad('mounts', twice, 'A destination is given twice')
  return parsed
}

function parseMount(mount: unknown): MountRequest {
  if (!isObject(mount)) throw bad('mounts', mount, 'Every item must be an object')
  refuseUnknownFields(mount, ['type', 'source', 'destination', 'size'])
  const destination = textField(mount, 'destination', { min: 1, max: 4096 })
  if (destination === undefined) throw missing('mounts.destination')
  if (!isBelowRoot(destination)) {
    throw bad('mounts', destination, 'destination must be an absolute path below /')
  }
  const type = textField(mount, 'type') ?? 'volume'
  const source = textField(mount, 'source', { max: 2 * LARGEST_FILE_BYTES })
  if (type === 'bind') return { kind: 'file', contents: checkedBase64(source ?? ''), destination }
  if (type !== 'volume') throw bad('mounts', type, 'type is not one of volume, bind')
  if (source !== undefined && source !== '') return { kind: 'existing', source, destination }
  const sizeGiB = numberField(mount, 'size', { min: 1, max: 16_384, integer: true })
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

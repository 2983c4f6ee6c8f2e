/** All that the service can leave behind in a cloud and on its host, so that before and after can be compared. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { TestEngine } from '../../support/test-engine.ts'
import type { CloudUser } from './cloud-user.ts'

const run = promisify(execFile)

/** Agents and sweeps take a moment after the last answer. */
const SETTLE_MS = 90_000
const POLL_MS = 500

export type CloudState = Readonly<Record<string, readonly string[]>>

interface Identified {
  readonly id: string
}

interface Port extends Identified {
  readonly name: string
  readonly device_owner: string
  readonly device_id: string
  readonly security_groups: readonly string[]
  readonly 'binding:host_id': string
}

/** `directory`: of the service under test. */
export async function cloudState(o: { admin: CloudUser; engine: TestEngine; directory: string }): Promise<CloudState> {
  const { admin, engine, directory } = o

  const { ports } = await admin.get<{ ports: Port[] }>('network', '/v2.0/ports')
  const groups = await admin.get<{ security_groups: (Identified & { security_group_rules: Identified[] })[] }>(
    'network',
    '/v2.0/security-groups',
  )
  const { volumes } = await admin.get<{ volumes: (Identified & { status: string })[] }>(
    'volumev3',
    '/volumes/detail?all_tenants=1',
  )
  const { attachments } = await admin.get<{ attachments: Identified[] }>('volumev3', '/attachments?all_tenants=1')
  const { images } = await admin.get<{ images: Identified[] }>('image', '/v2/images?limit=1000')
  const containers = await engine.api<{ Names: string[] }[]>('GET', '/containers/json?all=1')
  const networks = await engine.api<{ Name: string }[]>('GET', '/networks')
  const engineVolumes = await engine.api<{ Volumes: { Name: string }[] | null }>('GET', '/volumes')
  const sorted = (lines: readonly string[]): string[] => lines.toSorted()
  return {
    // Those of DHCP come and go with what the agent does.
    ports: sorted(ports.filter((port) => port.device_owner !== 'network:dhcp').map(describePort)),
    'security groups': sorted(
      groups.security_groups.map(({ id, security_group_rules: rules }) => `${id} with ${rules.length} rules`),
    ),
    volumes: sorted(volumes.map(({ id, status }) => `${id} ${status}`)),
    attachments: sorted(attachments.map(({ id }) => id)),
    images: sorted(images.map(({ id }) => id)),
    allocations: sorted(await consumers(admin)),
    'containers of the engine': sorted(containers.map(({ Names: names }) => names.join())),
    'networks of the engine': sorted(networks.map(({ Name: name }) => name)),
    'volumes of the engine': sorted((engineVolumes.Volumes ?? []).map(({ Name: name }) => name)),
    interfaces: sorted(await interfaces()),
    mounts: sorted(mounts(directory)),
    'loop devices': sorted(await loopDevices(directory)),
  }
}

/** Waits for what is under way; then what there is now and was not before fails it, and the other way round. */
export async function assertUnchanged(before: CloudState, now: () => Promise<CloudState>): Promise<void> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const changes = changesBetween(before, await now())
    if (Object.keys(changes).length === 0) return
    if (performance.now() > deadline) assert.deepEqual(changes, {})
    await sleep(POLL_MS)
  }
}

function changesBetween(before: CloudState, now: CloudState): Record<string, { new: string[]; gone: string[] }> {
  const changes = Object.keys(now).map((kind) => {
    const [earlier, later] = [before[kind] ?? [], now[kind] ?? []]
    const fresh = later.filter((line) => !earlier.includes(line))
    return [kind, { new: fresh, gone: earlier.filter((line) => !later.includes(line)) }] as const
  })
  return Object.fromEntries(changes.filter(([, change]) => change.new.length + change.gone.length > 0))
}

function describePort(port: Port): string {
  const { id, name, device_owner: owner, device_id: device, security_groups: groups, 'binding:host_id': host } = port
  return `${id} '${name}' of ${owner}:${device} on ${host} in ${groups.toSorted().join()}`
}

/** Of allocations, from all providers. */
async function consumers(admin: CloudUser): Promise<string[]> {
  const { resource_providers: providers } = await admin.get<{ resource_providers: { uuid: string }[] }>(
    'placement',
    '/resource_providers',
  )
  const found = await Promise.all(
    providers.map(async ({ uuid }) =>
      admin.get<{ allocations: Record<string, unknown> }>('placement', `/resource_providers/${uuid}/allocations`),
    ),
  )
  return found.flatMap(({ allocations }) => Object.keys(allocations))
}

/** Bridges of networks are their agent's: it takes them down when it likes. So are the ends in its DHCP namespaces. */
async function interfaces(): Promise<string[]> {
  const { stdout } = await run('ip', ['-json', 'link'])
  const links = JSON.parse(stdout) as { ifname: string; link_netnsid?: number }[]
  const names = links.map(({ ifname }) => ifname).filter((name) => !/^(brq|vxlan-)/.test(name))
  const { stdout: all } = await run('ip', ['netns', 'list'])
  const dhcp = await Promise.all(
    [...all.matchAll(/^qdhcp-\S+/gm)].map(async ([namespace]) =>
      run('ip', ['-netns', namespace, '-o', 'link']).catch(() => ({ stdout: '' })),
    ),
  )
  const agents = new Set(
    dhcp.flatMap((one) => [...one.stdout.matchAll(/ ns-([0-9a-f-]{11})/g)].map(([, id]) => `tap${id}`)),
  )
  return names.filter((name) => !agents.has(name))
}

/** Others mount as well on this machine, what is theirs. */
function mounts(directory: string): string[] {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return points.filter((point) => point.startsWith(`${directory}/`))
}

/** They are the kernel's, whoever has attached them. */
async function loopDevices(directory: string): Promise<string[]> {
  const { stdout } = await run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])
  return stdout.split('\n').filter((line) => line.startsWith(`${directory}/`))
}

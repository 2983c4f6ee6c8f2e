/** What is crashed: at least one scenario for every verb and every step. */
import { anInventory } from '../support/builders.ts'
import type { Verb } from '../../src/orchestration/ports/wire.ts'
import {
  attach,
  commit,
  commitToService,
  create,
  createPod,
  detach,
  NAME,
  network,
  noImage,
  noNetwork,
  noVolume,
  pull,
  rebuild,
  remove,
  removePod,
  rename,
  sandboxEnds,
  resize,
  securityGroup,
  update,
  verb,
  volume,
  type Request,
} from './requests.ts'

import type { World } from './world.ts'
import { aMember } from '../support/capsule-template.ts'

export interface Scenario {
  readonly name: string
  /** Absent: one. */
  readonly hosts?: number
  /** How the world is different from others, from the beginning. */
  readonly arrange?: (world: World) => void
  /** Runs undisturbed, each to its end before the next. */
  readonly prepare: readonly Request[]
  /** Deaths happen from here on. */
  readonly requests: readonly Request[]
  /** How many transactions accept one of `requests`; absent: one. */
  readonly transactions?: number
  /** Sent while the last of `requests` passes this checkpoint. */
  readonly meanwhile?: { readonly at: string; readonly request: Request }
}

const surroundings = [network('net-a'), network('net-b'), network('net-c'), volume('vol')]
const REMOTE = { nets: [{ network: 'remote-a' }, { network: 'remote-b' }], mounts: [], security_groups: ['group-1'] }
/** One of the cloud, one of the host. */
export const ON_CLOUD = [
  { source: 'remote-volume', destination: '/data' },
  { size: 1, destination: '/scratch' },
]
const onRemote = create(REMOTE)
const OPEN = { nets: [{ network: 'remote-a' }], mounts: [], exposed_ports: { '80/tcp': {} } }
const running = [...surroundings, create()]
const stopped = [...running, verb('stop')]
const paused = [...running, verb('pause')]

/** By verb, so that one without a scenario is an error of types. */
const BY_VERB: Readonly<Record<Verb, readonly Omit<Scenario, 'name'>[]>> = {
  create: [
    { prepare: surroundings, requests: [create()] },
    { prepare: surroundings, requests: [create({}, false)] },
    { prepare: [], requests: [create({ nets: [], mounts: [], image_pull_policy: 'never' })] },
    { prepare: surroundings, requests: [create({ auto_remove: true })] },
    { prepare: [], requests: [onRemote] },
    { prepare: [], requests: [create(OPEN)] },
    { prepare: surroundings, requests: [create({ auto_remove: true, command: ['sh', '-c', 'exit 3'] })] },
  ],
  start: [
    { prepare: stopped, requests: [verb('start')] },
    {
      prepare: [...surroundings, create({ auto_remove: true, command: ['sh', '-c', 'exit 3'] }, false)],
      requests: [verb('start')],
    },
  ],
  stop: [{ prepare: running, requests: [verb('stop', { timeoutS: 1 })] }],
  reboot: [
    { prepare: running, requests: [verb('reboot', { timeoutS: 1 })] },
    { prepare: stopped, requests: [verb('reboot')] },
  ],
  pause: [{ prepare: running, requests: [verb('pause')] }],
  unpause: [{ prepare: paused, requests: [verb('unpause')] }],
  kill: [
    { prepare: running, requests: [verb('kill')] },
    { prepare: running, requests: [verb('kill', { signal: 'SIGHUP' })] },
  ],
  rebuild: [
    { prepare: running, requests: [rebuild('registry.test/app:1')] },
    { prepare: stopped, requests: [rebuild()] },
  ],
  delete: [
    { prepare: stopped, requests: [remove()] },
    { prepare: running, requests: [remove({ stop: true })] },
    { prepare: running, requests: [remove({ force: true })] },
    { prepare: [onRemote], requests: [remove({ stop: true })] },
    {
      prepare: [],
      requests: [onRemote],
      meanwhile: { at: 'step:bindPorts:applied', request: remove({ force: true }) },
    },
    {
      prepare: surroundings,
      requests: [create()],
      meanwhile: { at: 'step:obtainImage:journaled', request: remove({ force: true }) },
    },
    {
      prepare: surroundings,
      requests: [create()],
      meanwhile: { at: 'step:startContainer:applied', request: remove({ force: true }) },
    },
  ],
  commit: [
    { prepare: running, requests: [commit('snapshot')] },
    { prepare: [...running, commit('snapshot')], requests: [commit('snapshot')] },
    { prepare: running, requests: [commitToService('snapshot')], transactions: 2 },
  ],
  resize: [
    { prepare: running, requests: [resize({ memory: '256', cpu: 2 })] },
    { prepare: running, requests: [update({ memory: '256', name: 'c2' })] },
  ],
  network_attach: [
    { prepare: running, requests: [attach('net-c')] },
    { prepare: stopped, requests: [attach('net-c')] },
    { prepare: [onRemote], requests: [attach('remote-c')] },
  ],
  network_detach: [
    { prepare: running, requests: [detach('net-a')] },
    { prepare: running, requests: [detach('net-b'), attach('net-b')] },
    { prepare: [onRemote], requests: [detach('remote-a')] },
  ],
  add_security_group: [{ prepare: [onRemote], requests: [securityGroup('add_security_group', 'group-2')] }],
  remove_security_group: [{ prepare: [onRemote], requests: [securityGroup('remove_security_group', 'group-1')] }],
}

/** A cloud counts what the hosts have. */
export function counted({ sites }: World): void {
  for (const site of sites) {
    site.has = { ...site.has, resourceProvider: { uuid: `provider of ${site.name}`, isShared: false } }
  }
}

/** By the count of the cloud, which knows of others, the first host has less than one says who asks it. */
export function countedAndFull(world: World): void {
  counted(world)
  world.claims.capacity.set('provider of h1', { cpu: 0, memoryMiB: 0, diskGiB: 0 })
}

const counting: readonly Scenario[] = [
  { name: 'create on a counted host', prepare: surroundings, requests: [create()] },
  { name: 'resize on a counted host', prepare: running, requests: [resize({ memory: '1024', cpu: 2 })] },
  // The sweep gives back what it then holds too much, in a later life if need be.
  { name: 'resize to less on a counted host', prepare: running, requests: [resize({ memory: '64' })] },
  { name: 'rebuild on a counted host', prepare: running, requests: [rebuild()] },
  { name: 'delete on a counted host', prepare: stopped, requests: [remove()] },
  {
    name: 'delete on a counted host while it is made',
    prepare: [],
    requests: [create({ nets: [], mounts: [] })],
    meanwhile: { at: 'step:claimResources:applied', request: remove({ force: true }) },
  },
  { name: 'capsule create on a counted host', prepare: [volume('vol')], requests: [createPod()] },
  { name: 'capsule delete on a counted host', prepare: [volume('vol'), createPod()], requests: [removePod] },
].map((scenario) => ({ ...scenario, arrange: counted }))

/** From when a request is made until the record of the container is gone. */
export function withoutCloud({ host, store }: World): void {
  host.isCloudAway = async () => (await store.containers.byName(NAME, 0, { kind: 'all' })).length > 0
}

/** What is asked for besides operations of containers. */
const BESIDES: readonly Scenario[] = [
  {
    name: 'dedicated cores',
    arrange: ({ sites: [host] }) => {
      if (host === undefined) return
      host.has = anInventory({
        enableCpuPinning: true,
        numaNodes: [{ id: 0, cpus: [1, 2, 3], memTotalMiB: 16_000 }],
        floatingCpus: [0],
      })
    },
    prepare: [],
    requests: [
      create({ nets: [], mounts: [], cpu: 2, cpu_policy: 'dedicated' }),
      resize({ cpu: 3 }),
      rebuild(),
      resize({ cpu: 1 }),
    ],
  },
  { name: 'rename', prepare: running, requests: [rename('c2')] },
  { name: 'image pull', prepare: [], requests: [pull('registry.test/app:1')] },
  { name: 'image delete', prepare: [pull('registry.test/app:1')], requests: [noImage('app')] },
  { name: 'capsule create', prepare: [volume('vol')], requests: [createPod()] },
  {
    name: 'capsule create that fails',
    prepare: [volume('vol')],
    requests: [
      createPod({
        restartPolicy: { name: 'no', maximumRetryCount: 0 },
        initContainers: [aMember({ command: ['sh', '-c', 'exit 3'] })],
      }),
    ],
  },
  { name: 'capsule whose sandbox ends', prepare: [volume('vol'), createPod()], requests: [sandboxEnds] },
  { name: 'capsule delete', prepare: [volume('vol'), createPod()], requests: [removePod] },
  {
    name: 'capsule delete while it is made',
    prepare: [volume('vol')],
    requests: [createPod()],
    meanwhile: { at: 'step:startContainer:applied', request: removePod },
  },
  {
    name: 'network and volume delete',
    prepare: [...stopped, remove()],
    requests: [noNetwork('net-a'), noVolume('vol')],
  },
  ...counting,
  {
    name: 'delete by force while nobody takes anything back',
    arrange: withoutCloud,
    prepare: [create({ ...REMOTE, mounts: ON_CLOUD })],
    requests: [remove({ force: true })],
  },
  {
    name: 'create on a counted host that is full',
    arrange: countedAndFull,
    prepare: surroundings,
    requests: [create()],
  },
  {
    name: 'create that fails on a counted host',
    arrange: counted,
    prepare: [],
    requests: [create({ nets: [], mounts: [], image: 'nowhere' })],
  },
]

export const SCENARIOS: readonly Scenario[] = [
  ...Object.entries(BY_VERB).flatMap(([name, list]) =>
    list.map((scenario, i) => ({ ...scenario, name: list.length === 1 ? name : `${name} ${i + 1}` })),
  ),
  ...BESIDES,
]

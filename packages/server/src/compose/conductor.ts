/** The conductor role: what is done for the deployment as a whole. Any number of processes may do it at once. */
import { Cinder } from '../adapters/openstack/cinder.ts'
import { Glance } from '../adapters/openstack/glance.ts'
import { NeutronClient } from '../adapters/network/neutron/neutron-client.ts'
import { PortBinder } from '../adapters/network/neutron/port-binder.ts'
import { releaseMount } from '../adapters/volume/cinder/release-mount.ts'
import { removeMarked } from '../adapters/volume/cinder/marked.ts'
import { systemClock } from '../lib/system-clock.ts'
import { Forgetter } from '../orchestration/forgetter.ts'
import type { Logger, Service } from '../orchestration/ports/clock.ts'
import type { Store } from '../orchestration/ports/store.ts'
import { Reclaimer } from '../orchestration/reclaimer.ts'
import { Mover } from '../orchestration/scheduling/mover.ts'
import { MountSweep } from '../orchestration/mount-sweep.ts'
import { PortSweep } from '../orchestration/port-sweep.ts'
import { ClaimSweep } from '../orchestration/claim-sweep.ts'
import { ProviderSweep } from '../orchestration/provider-sweep.ts'
import { appOptions } from './app-options.ts'
import type { Cloud, CloudPlacement } from './cloud.ts'
import type { Config } from './config/options.ts'
import type { ControlPlaneParts } from './control-plane.ts'
import { usesNeutron } from './network.ts'
import { forgettable } from './forgettable.ts'

/** Creates of hosts that are away are looked for so often. */
const MOVE_POLL_MS = 10_000
/** What a cloud counts of our hosts is held against our records so often. */
const CLAIM_SWEEP_MS = 60_000

export interface ConductorDeps extends Pick<ControlPlaneParts, 'store' | 'doorbell'> {
  readonly config: Config
  readonly log: Logger
  /** undefined: the machine stands alone. */
  readonly cloud: Cloud | undefined
}

/** To be started in this order. */
export function composeConductor({ config, log, store, doorbell, cloud }: ConductorDeps): Service[] {
  const options = appOptions(config)
  return [
    new Mover({ store, doorbell, clock: systemClock, log, options, pollMs: MOVE_POLL_MS }),
    new Forgetter({ store, clock: systemClock, log, kinds: forgettable(config) }),
    ...(cloud === undefined ? [] : [composeReclaimer(cloud, store, log)]),
    ...(cloud === undefined ? [] : [composeMountSweep(cloud, store, log)]),
    ...(cloud === undefined || !usesNeutron(config) ? [] : [composePortSweep(cloud, config, store, log)]),
    ...(cloud?.placement === undefined ? [] : composeClaimSweeps(cloud.placement, { store, doorbell, log })),
  ]
}

function composeClaimSweeps(
  { claims }: CloudPlacement,
  { store, doorbell, log }: Pick<ConductorDeps, 'store' | 'doorbell' | 'log'>,
): Service[] {
  const common = { store, doorbell, claims, clock: systemClock, log, pollMs: CLAIM_SWEEP_MS }
  return [new ClaimSweep(common), new ProviderSweep(common)]
}

function composePortSweep({ session }: Cloud, { host }: Config, store: Store, log: Logger): PortSweep {
  // What is given back is known by its container, wherever that was.
  const binder = new PortBinder({ neutron: new NeutronClient(session), host, log })
  return new PortSweep({
    store,
    forget: async (uuid) => await store.write((tx) => tx.leftoverPorts.remove(uuid)),
    release: async (port, o) => await binder.release(port, o),
    clock: systemClock,
    log,
  })
}

function composeMountSweep({ session }: Cloud, store: Store, log: Logger): MountSweep {
  const cinder = new Cinder(session)
  return new MountSweep({
    store,
    forget: async ({ uuid, host }) => await store.write((tx) => tx.disposals.remove(uuid, host)),
    release: async (mount, o) => await releaseMount(cinder, mount, o),
    clock: systemClock,
    log,
  })
}

function composeReclaimer({ session }: Cloud, store: Store, log: Logger): Reclaimer {
  const [cinder, glance] = [new Cinder(session), new Glance(session)]
  return new Reclaimer({
    store,
    forget: async (uuid) => await store.write((tx) => tx.advances.remove(uuid)),
    clock: systemClock,
    log,
    remove: {
      volume: async (mark, o) => await removeMarked(cinder, mark, o),
      image: async (id, o) => await glance.remove(id, {}, o),
    },
  })
}

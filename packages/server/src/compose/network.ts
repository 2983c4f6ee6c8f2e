/** Whose networks containers are put on: those of a cloud, or of the machine itself. */
import { randomUUID } from 'node:crypto'
import { ProcessCommand } from '../adapters/host-command/process-command.ts'
import { LocalBridgeNetwork } from '../adapters/network/local-bridge-network.ts'
import { NetworksByService, type HostNetworks } from '../adapters/network/networks-by-service.ts'
import { LateJoins } from '../adapters/network/neutron/late-joins.ts'
import { NeutronClient } from '../adapters/network/neutron/neutron-client.ts'
import { NeutronNetworks } from '../adapters/network/neutron/neutron-network.ts'
import { NeutronPlanner } from '../adapters/network/neutron/neutron-planner.ts'
import { HostPlugger } from '../adapters/network/plug/host-plugger.ts'
import { SqlHostPorts } from '../adapters/network/sql-host-ports.ts'
import { LocalNetworkPlanner } from '../app/networks/local-planner.ts'
import type { AppOptions } from '../app/options.ts'
import type { NetworkPlanner } from '../app/ports/network-planner.ts'
import { messageOf } from '../domain/errors.ts'
import { systemClock } from '../lib/system-clock.ts'
import { PluginServer } from '../edge/libnetwork/plugin-server.ts'
import type { Logger, Service } from '../orchestration/ports/clock.ts'
import type { ContainerEngine } from '../orchestration/ports/engine.ts'
import type { HostPorts, PortPlugger } from '../orchestration/ports/host-ports.ts'
import type { Store } from '../orchestration/ports/store.ts'
import type { Cloud } from './cloud.ts'
import { ConfigError } from './config/config-error.ts'
import { hasLogin } from './config/check-logins.ts'
import type { Config } from './config/options.ts'
import type { StateDir } from './state-dir.ts'

const PORTS_FILE = 'ports.sqlite'
/** Where engines look for the sockets of plugins, whatever else is configured. */
const PLUGIN_DIRECTORY = '/run/docker/plugins'

export function usesNeutron(config: Config): boolean {
  if (config.networksFrom === 'local') return false
  if (hasLogin(config, 'serviceLogin')) return true
  if (config.networksFrom === 'auto') return false
  throw new ConfigError('option networks in [zund] is neutron, which needs the login of [keystone_auth]')
}

/** What the engine finds us by. It is there before the engine is asked for anything, and outlives what asks it. */
export interface NetworkPlugin extends Service {
  readonly ports: HostPorts
  readonly plugger: PortPlugger
  readonly lateJoins: LateJoins
}

/** undefined: the engine's own bridges are used. ConfigError when what is remembered of ports cannot be opened. */
export function composeNetworkPlugin(config: Config, state: StateDir, log: Logger): NetworkPlugin | undefined {
  if (!usesNeutron(config)) return undefined
  const ports = openPorts(state.file(PORTS_FILE))
  const lateJoins = new LateJoins()
  const plugger = new HostPlugger({
    command: new ProcessCommand(),
    ovsBridge: config.ovsBridge,
    ...(config.portActiveTimeoutS === 0 ? {} : { onKeptOut: lateJoins.take }),
  })
  const socketPath = `${PLUGIN_DIRECTORY}/${config.networkDriverName}.sock`
  const server = new PluginServer({ socketPath, ports, plugger, log })
  return {
    ports,
    plugger,
    lateJoins,
    start: async () => {
      try {
        await server.start()
      } catch (error) {
        ports.close()
        throw new ConfigError(`the network plugin cannot listen at ${socketPath}: ${messageOf(error)}`)
      }
    },
    stop: async () => {
      await server.stop()
      ports.close()
    },
  }
}

export interface HostNetworksDeps {
  readonly config: Config
  readonly engine: ContainerEngine
  readonly cloud: Cloud | undefined
  readonly plugin: NetworkPlugin | undefined
  readonly log: Logger
}

export function composeHostNetworks({ config, engine, cloud, plugin, log }: HostNetworksDeps): HostNetworks {
  const local = new LocalBridgeNetwork({ engine, command: new ProcessCommand(), log })
  if (cloud === undefined || plugin === undefined) return local
  const remote = new NeutronNetworks({
    engine,
    neutron: new NeutronClient(cloud.session),
    ports: plugin.ports,
    plugger: plugin.plugger,
    lateJoins: plugin.lateJoins,
    host: config.host,
    driver: config.networkDriverName,
    clock: systemClock,
    activeTimeoutMs: config.portActiveTimeoutS * 1_000,
    activeRequired: config.portActiveRequired,
    log,
  })
  return new NetworksByService(local, remote)
}

export function composeNetworkPlanner(
  config: Config,
  options: AppOptions,
  { store, cloud }: { readonly store: Store; readonly cloud?: Cloud | undefined },
): NetworkPlanner {
  const newUuid = randomUUID
  return cloud === undefined || !usesNeutron(config)
    ? new LocalNetworkPlanner({ store, pools: options.localNetwork, newUuid })
    : new NeutronPlanner({ neutron: new NeutronClient(cloud.session), newUuid })
}

function openPorts(file: string): SqlHostPorts {
  try {
    return new SqlHostPorts(file)
  } catch (error) {
    throw new ConfigError(`the file ${file} of the network plugin cannot be opened: ${messageOf(error)}`)
  }
}

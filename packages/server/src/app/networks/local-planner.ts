import { Conflict, InvalidInput, NotFound } from '../../domain/errors.ts'
import { v5 } from '../../lib/uuid-v5.ts'
import type { Store } from '../../orchestration/ports/store.ts'
import { planPorts, subnetsOf } from '../containers/plan-networks.ts'
import type { AppOptions } from '../options.ts'
import type { NetworkPlace } from '../ports/host-gateway.ts'
import type { Asker, NetworkPlan, NetworkPlanner, NetworksRequest } from '../ports/network-planner.ts'

export interface LocalNetworkPlannerDeps {
  readonly store: Pick<Store, 'networks'>
  readonly pools: AppOptions['localNetwork']
  readonly newUuid: () => string
}

/** Namespace of the ids that stand for a project's one security group. */
const SECURITY_GROUP_NAMESPACE = '6f3f2a52-5a0b-4a57-9c3c-4a8b8f7b1d10'

/** The built-in network service: all that is to be known is in our own records. */
export class LocalNetworkPlanner implements NetworkPlanner {
  readonly #deps: LocalNetworkPlannerDeps

  constructor(deps: LocalNetworkPlannerDeps) {
    this.#deps = deps
  }

  async plan({ projectId }: Asker, { nets }: NetworksRequest): Promise<NetworkPlan> {
    const { pools, newUuid } = this.#deps
    for (const { port } of nets) {
      // There are no ports that exist by themselves.
      if (port !== null) throw new NotFound(`Port ${port} could not be found.`, 'port-not-found')
    }
    return {
      external: [],
      bindings: async (tx, { firstOrder }) => await planPorts({ tx, pools, projectId, newUuid }, nets, firstOrder),
    }
  }

  /**
   * There is one security group a project, `default`, and it means what the default group of a network service means:
   * members reach each other, nobody else reaches them, they reach everything.
   */
  async securityGroups({ projectId }: Asker, idents: readonly string[]): Promise<string[]> {
    const defaultId = v5(projectId, SECURITY_GROUP_NAMESPACE)
    for (const group of idents) {
      if (group === 'default' || group === defaultId) continue
      throw new InvalidInput(
        `Security group ${group} could not be found: the local network service has only the group 'default'.`,
      )
    }
    return idents.length === 0 ? [] : [defaultId]
  }

  async groupToChange(_asker: Asker, ident: string): Promise<string> {
    throw new InvalidInput(
      `Security group ${ident} cannot be changed: the local network service has only the group 'default'.`,
    )
  }

  async placeOf(_asker: Asker, networkId: string): Promise<NetworkPlace | undefined> {
    const network = await this.#deps.store.networks.byUuid(networkId, { kind: 'all' })
    if (network === undefined) return undefined
    if (network.deleting) throw new Conflict(`Network ${network.uuid} is being deleted.`)
    const { uuid, name, projectId } = network
    return { networkId: uuid, networkName: name, projectId, subnets: subnetsOf(network) }
  }
}

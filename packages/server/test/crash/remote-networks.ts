import { LocalNetworkPlanner, type LocalNetworkPlannerDeps } from '../../src/app/networks/local-planner.ts'
import type { Asker, NetworkPlan, NetworkPlanner, NetworksRequest } from '../../src/app/ports/network-planner.ts'
import { aRemotePort } from '../support/builders.ts'

/** Networks whose name begins so are those of another service, which gives ports to the hosts that ask for them. */
const REMOTE = 'remote-'

/** The built-in networks, and beside them as many of another service as are asked for. */
export class MixedNetworks extends LocalNetworkPlanner implements NetworkPlanner {
  readonly #newUuid: () => string

  constructor(deps: LocalNetworkPlannerDeps) {
    super(deps)
    this.#newUuid = deps.newUuid
  }

  override async plan(asker: Asker, request: NetworksRequest): Promise<NetworkPlan> {
    const remote = request.nets.filter(({ network }) => network?.startsWith(REMOTE) === true)
    const rest = request.nets.filter((net) => !remote.includes(net))
    const local =
      remote.length > 0 && rest.length === 0 ? undefined : await super.plan(asker, { ...request, nets: rest })
    return {
      external: [],
      bindings: async (tx, o) => {
        const first = remote.map(({ network }, n) => ({
          uuid: this.#newUuid(),
          state: 'planned' as const,
          order: o.firstOrder + n,
          data: {
            kind: 'port' as const,
            networkId: network ?? '',
            networkName: network ?? '',
            projectId: asker.projectId,
            subnets: [],
            fixedIps: [],
            macAddress: null,
            preserveOnDelete: false,
            remote: aRemotePort({
              deviceId: o.containerUuid,
              securityGroups: [...request.securityGroups],
              openPorts: [...request.openPorts],
            }),
          },
        }))
        const others = await local?.bindings(tx, { ...o, firstOrder: o.firstOrder + first.length })
        return [...first, ...(others ?? [])]
      },
    }
  }

  override async securityGroups(_asker: Asker, idents: readonly string[]): Promise<string[]> {
    return [...idents]
  }

  override async groupToChange(_asker: Asker, ident: string): Promise<string> {
    return ident
  }
}

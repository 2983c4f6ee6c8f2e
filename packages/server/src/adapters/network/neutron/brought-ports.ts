import { messageOf, Retryable, UserFault } from '../../../domain/errors.ts'
import type { Logger } from '../../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { PortData, RemotePort } from '../../../orchestration/ports/wire.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { JsonRecord } from '../../openstack/json.ts'
import type { NeutronClient } from './neutron-client.ts'
import type { NeutronPort } from './resources.ts'
import { isTied, tie } from './tie.ts'

export interface BroughtPortsDeps {
  readonly neutron: NeutronClient
  readonly host: string
  readonly log: Logger
}

/** How often a port is read anew, when somebody else changes it in between. */
const TRIES = 5
/** What refuses a change, and will again. */
const REFUSED: readonly number[] = [400, 404, 409]

/** Ports that users have made themselves: they are taken for as long as the container has them. */
export class BroughtPorts {
  readonly #neutron: NeutronClient
  readonly #host: string
  readonly #log: Logger

  constructor({ neutron, host, log }: BroughtPortsDeps) {
    this.#neutron = neutron
    this.#host = host
    this.#log = log
  }

  /** Nobody is stopped from giving it to two: whoever is the first to write has it. */
  async take(port: PortData, remote: RemotePort, o: CallOptions): Promise<NeutronPort> {
    const id = remote.portId ?? ''
    for (let tries = 0; tries < TRIES; tries += 1) {
      const found = await this.#usable(id, port, remote, o)
      if (isTied(found, remote, this.#host)) return found
      const tied = await this.#neutron.updateUnchangedPort(found, tie(remote, this.#host), o)
      if (tied !== undefined) return tied
    }
    throw new Retryable('network.port_changes', `Port ${id} is being changed by somebody else.`)
  }

  /**
   * As it was, as far as that can still be: its owner may have removed a group or an address, or have switched off what
   * groups need. Whatever else, it must become free.
   */
  async giveBack(remote: RemotePort, before: NonNullable<RemotePort['before']>, o: CallOptions): Promise<void> {
    let refusal: unknown
    const freed = { device_id: '', device_owner: before.deviceOwner, 'binding:host_id': before.hostId }
    for (const restored of [
      async (port: NeutronPort) => ({ ...freed, ...regrouped(port, remote) }),
      async (port: NeutronPort) => ({ ...freed, ...(await this.#withoutRemoved(regrouped(port, remote), o)) }),
      async () => freed,
      async () => ({ device_id: '', device_owner: '', 'binding:host_id': '' }),
    ]) {
      const found = remote.portId === null ? undefined : await this.#neutron.port(remote.portId, o)
      // Gone, or given back already and perhaps in somebody else's hands.
      if (found === undefined || found.deviceId !== remote.deviceId) return
      const about = { portId: found.id, containerId: remote.deviceId }
      try {
        await this.#neutron.updatePort(found.id, await restored(found), o)
        this.#log.info(about, 'gave a port back')
        return
      } catch (error) {
        if (!(error instanceof OpenStackError && REFUSED.includes(error.status))) throw error
        refusal = error
        this.#log.warn({ ...about, why: messageOf(error) }, 'a port cannot be given back with all that it was')
      }
    }
    throw refusal
  }

  async #withoutRemoved(fields: Regrouped, o: CallOptions): Promise<Regrouped> {
    const wanted = fields.security_groups ?? []
    if (wanted.length === 0) return fields
    const there = new Set((await this.#neutron.groups({ id: wanted }, o)).map(({ id }) => id))
    return { security_groups: wanted.filter((id) => there.has(id)) }
  }

  async #usable(id: string, port: PortData, remote: RemotePort, o: CallOptions): Promise<NeutronPort> {
    const found = await this.#neutron.port(id, o)
    if (found === undefined) throw new UserFault('network.port_gone', `Port ${id} could not be found any more.`)
    if (found.deviceId !== '' && found.deviceId !== remote.deviceId) {
      throw new UserFault('network.port_in_use', `Port ${id} has come into use by something else.`)
    }
    if (found.networkId !== port.networkId || found.fixedIps.length === 0) {
      throw new UserFault('network.port_changed', `Port ${id} has no address of network ${port.networkName}.`)
    }
    return found
  }
}

interface Regrouped extends JsonRecord {
  readonly security_groups?: readonly string[]
}

/** What was changed of its groups is changed back, and what its owner has changed meanwhile is not. */
function regrouped({ securityGroups }: NeutronPort, { addedGroups, removedGroups }: RemotePort): Regrouped {
  if (addedGroups.length + removedGroups.length === 0) return {}
  return {
    security_groups: [
      ...securityGroups.filter((id) => !addedGroups.includes(id)),
      ...removedGroups.filter((id) => !securityGroups.includes(id)),
    ],
  }
}

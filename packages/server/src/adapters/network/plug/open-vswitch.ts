import { SystemFault } from '../../../domain/errors.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { HostPort } from '../../../orchestration/ports/host-ports.ts'
import { complaint, type HostCommand } from '../../host-command/host-command.ts'
import { PROGRAM_TIMEOUT_MS } from './ip-link.ts'

/** Seconds that ovs-vsctl waits for the switch to have done it; without a switch it would wait for ever. */
const SWITCH_TIMEOUT_S = 4

/** Ports of an Open vSwitch, of either datapath, whoever programs its flows. */
export class OpenVSwitch {
  readonly #command: HostCommand

  constructor(command: HostCommand) {
    this.#command = command
  }

  /**
   * In one transaction, so that it is never seen half-made; one of its name that somebody has put into another bridge
   * meanwhile does not stand in the way.
   */
  async add(bridge: string, name: string, port: HostPort, o: CallOptions): Promise<void> {
    const ids = {
      'attached-mac': port.macAddress,
      'iface-id': port.portId,
      'vm-uuid': port.containerUuid,
      'iface-status': 'active',
      owner: 'zund',
    }
    const add = ['--', '--if-exists', 'del-port', name, '--', 'add-port', bridge, name]
    const describe = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`)
    await this.#run([...add, '--', 'set', 'Interface', name, ...describe], o)
  }

  /** From whichever bridge it is in. */
  async remove(name: string, o: CallOptions): Promise<void> {
    await this.#run(['--', '--if-exists', 'del-port', name], o)
  }

  async #run(args: readonly string[], { signal }: CallOptions): Promise<void> {
    const result = await this.#command.run('ovs-vsctl', [`--timeout=${SWITCH_TIMEOUT_S}`, ...args], {
      signal,
      timeoutMs: PROGRAM_TIMEOUT_MS,
    })
    if (result.exitCode !== 0) throw new SystemFault('network.switch_failed', `ovs-vsctl: ${complaint(result)}`)
  }
}

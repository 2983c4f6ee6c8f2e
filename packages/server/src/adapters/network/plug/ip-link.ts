import { SystemFault } from '../../../domain/errors.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import { complaint, type CommandResult, type HostCommand } from '../../host-command/host-command.ts'

/** Milliseconds. The engine waits while a port is plugged, with a lock held. */
export const PROGRAM_TIMEOUT_MS = 5_000

/** Interfaces of the host, by iproute2. */
export class IpLink {
  readonly #command: HostCommand

  constructor(command: HostCommand) {
    this.#command = command
  }

  /** Several changes by one program; the first that fails ends it. */
  async change(lines: readonly string[], { signal }: CallOptions): Promise<void> {
    const result = await this.#command.run('ip', ['-batch', '-'], {
      signal,
      timeoutMs: PROGRAM_TIMEOUT_MS,
      input: `${lines.join('\n')}\n`,
    })
    if (result.exitCode !== 0) throw new SystemFault('network.link_failed', `ip link: ${complaint(result)}`)
  }

  async exists(name: string, o: CallOptions): Promise<boolean> {
    return (await this.#show(name, o)).exitCode === 0
  }

  /** Is it there, with this MAC address? */
  async hasAddress(name: string, macAddress: string, o: CallOptions): Promise<boolean> {
    const { exitCode, stdout } = await this.#show(name, o)
    return exitCode === 0 && stdout.includes(` link/ether ${macAddress} `)
  }

  /** Is it there, and in no bridge? */
  async isAlone(name: string, o: CallOptions): Promise<boolean> {
    const { exitCode, stdout } = await this.#show(name, o)
    return exitCode === 0 && !stdout.includes(' master ')
  }

  async #show(name: string, { signal }: CallOptions): Promise<CommandResult> {
    const options = { signal, timeoutMs: PROGRAM_TIMEOUT_MS }
    return await this.#command.run('ip', ['-o', 'link', 'show', 'dev', name], options)
  }

  /** With the other end of a pair. Gone already is a success. */
  async remove(name: string, o: CallOptions): Promise<void> {
    try {
      await this.change([`link delete dev ${name}`], o)
    } catch (error) {
      o.signal.throwIfAborted()
      if (await this.exists(name, o)) throw error
    }
  }

  /**
   * A bridge that forwards from the first moment. The host takes no part in it: it has no address there, not even one it
   * would give itself.
   */
  async ensureBridge(name: string, o: CallOptions, more = ''): Promise<void> {
    if (!(await this.exists(name, o))) {
      try {
        await this.change([`link add name ${name} type bridge forward_delay 0 stp_state 0${more}`], o)
      } catch (error) {
        o.signal.throwIfAborted()
        // The agent of the network service makes it too, when it likes.
        if (!(await this.exists(name, o))) throw error
      }
      await this.change([`link set dev ${name} addrgenmode none`], o)
    }
    await this.change([`link set dev ${name} up`], o)
  }
}

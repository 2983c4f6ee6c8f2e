import { complaint, type HostCommand } from '../../host-command/host-command.ts'
import { SystemFault } from '../../../domain/errors.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import { PROGRAM_TIMEOUT_MS } from './ip-link.ts'

/** Seconds to wait for the lock that all users of iptables share. */
const LOCK_WAIT_S = 4

/** Whether an agent's rules for this interface of a Linux bridge are in the kernel: its own name stands in them. */
export async function hasFilters(command: HostCommand, name: string, { signal }: CallOptions): Promise<boolean> {
  const options = { signal, timeoutMs: PROGRAM_TIMEOUT_MS }
  const result = await command.run('iptables', ['-w', String(LOCK_WAIT_S), '-S'], options)
  if (result.exitCode !== 0) throw new SystemFault('network.rules_not_read', `iptables: ${complaint(result)}`)
  return result.stdout.includes(`--physdev-out ${name} `)
}

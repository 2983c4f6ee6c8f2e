import { Retryable, SystemFault } from '../../../domain/errors.ts'
import { textIn } from '../../openstack/json.ts'
import {
  complaint,
  type CommandOptions,
  type CommandResult,
  type HostCommand,
} from '../../host-command/host-command.ts'
import type { ConnectorCall } from './connector.ts'

/** Runs it, or throws what it has to say. Another try may help: storage is elsewhere, and comes back. */
export async function mustRun(
  command: HostCommand,
  program: string,
  args: readonly string[],
  { signal, timeoutMs, hidden }: CommandOptions & { readonly hidden?: boolean },
): Promise<CommandResult> {
  const result = await command.run(program, args, { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  if (result.exitCode === 0) return result
  const asked = hidden === true ? program : `${program} ${args.join(' ')}`
  throw new Retryable('volume.not_connected', `${asked}: ${complaint(result)}`)
}

/** What the volume service must have told; it is handed to programs, so it may not look like an option of theirs. */
export function told({ connection, volumeId }: ConnectorCall, name: string): string {
  const value = textIn(connection.data, name)
  if (value !== undefined && value !== '' && !value.startsWith('-') && !hasControl(value)) return value
  throw badConnection(volumeId, connection.type, `its ${name} is ${JSON.stringify(connection.data[name] ?? null)}`)
}

export function badConnection(volumeId: string, type: string, why: string): SystemFault {
  return new SystemFault(
    'volume.bad_connection',
    `volume ${volumeId} cannot be connected: the volume service describes a connection of type ${type} that cannot be: ${why}`,
  )
}

function hasControl(value: string): boolean {
  return Array.from(value).some((character) => character < ' ' || character === '\u007f')
}

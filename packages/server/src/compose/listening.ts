import { messageOf } from '../domain/errors.ts'
import { ConfigError } from './config/config-error.ts'

/** `option` chooses another port. ConfigError when the address cannot be had. */
export async function listening(
  start: () => Promise<unknown>,
  host: string,
  port: number,
  option: string,
): Promise<void> {
  try {
    await start()
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'EADDRINUSE') throw new ConfigError(`port ${port} of ${host} is taken; choose another by ${option}`)
    throw new ConfigError(`cannot listen on ${host} port ${port}: ${messageOf(error)}`)
  }
}

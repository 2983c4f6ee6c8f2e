import { ConfigError } from '../config/config-error.ts'
import { UsageError, type Streams } from './args.ts'

export const HELP = `usage: zund COMMAND [OPTIONS]

  up       start the whole service on this machine
  down     stop it; containers keep running
  status   show roles, engine and counts
  policy   list the rules of who may do what, and try them
  config   check the configuration, list all options

Roles by themselves, on one machine or several:

  api, conductor, compute, wsproxy   run one role
  db                                 make the database, or bring it to this version
  certificates                       make the certificates by which roles know each other

'zund COMMAND --help' tells more.`

/** Runs one command and gives the exit code: 0 done, 1 failed, 2 wrong use. */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  const [command, ...rest] = argv
  try {
    switch (command) {
      case 'up':
        return await (await import('./up.ts')).up(rest, streams)
      case 'down':
        return await (await import('./down.ts')).down(rest, streams)
      case 'status':
        // Two words behind it are upstream's `zun-status`.
        if (rest[0] === 'upgrade') return (await import('./upgrade-check.ts')).upgradeCheck(rest, streams)
        return await (await import('./status.ts')).status(rest, streams)
      case 'policy':
        return (await import('./policy.ts')).policy(rest, streams)
      case 'config':
        return (await import('./config.ts')).config(rest, streams)
      case 'db':
        return await (await import('./db.ts')).db(rest, streams)
      case 'certificates':
        return await (await import('./certificates.ts')).certificates(rest, streams)
      case 'api':
      case 'conductor':
      case 'compute':
      case 'wsproxy':
        return await (await import('./role.ts')).role(command, rest, streams)
      case 'help':
      case '--help':
      case '-h':
        streams.out(HELP)
        return 0
      default:
        streams.err(command === undefined ? HELP : `zund: there is no command '${command}'; see 'zund --help'`)
        return 2
    }
  } catch (error) {
    if (error instanceof UsageError) {
      streams.err(error.message)
      return 2
    }
    streams.err(`zund ${command}: ${error instanceof ConfigError ? error.message : String(error)}`)
    return 1
  }
}

/** Commands of the launcher that are the server's, as far as completion tells of them; their own help tells the rest. */
import type { Completes } from '../args/command.ts'

export interface ServiceCommand {
  readonly name: string
  readonly about: string
  readonly options: readonly string[]
  readonly completes: Completes
}

const CONFIG = ['--config-file', '--config-dir', '--state-dir']

const command = (name: string, about: string, ...options: readonly string[]): ServiceCommand => ({
  name,
  about,
  options: [...options, '--help'],
  completes: 'files',
})

export const SERVICE_COMMANDS: readonly ServiceCommand[] = [
  command(
    'up',
    'Starts the whole service',
    ...CONFIG,
    '--api-port',
    '--wsproxy-port',
    '--bind',
    '--detach',
    '--no-install',
  ),
  command('down', 'Stops it', '--state-dir'),
  command('status', 'Shows what runs', '--state-dir', '--json'),
  command('policy list', 'Lists the rules', ...CONFIG, '--policy-file', '--format'),
  command('policy check', 'Tries a rule', ...CONFIG, '--policy-file', '--roles', '--project', '--user', '--target'),
  command('config check', 'Checks the configuration', ...CONFIG),
  command('config reference', 'Lists all options'),
  command('api', 'Runs the API', ...CONFIG),
  command('conductor', 'Runs the work for the deployment as a whole', ...CONFIG),
  command('compute', 'Runs the containers of this host', ...CONFIG),
  command('wsproxy', 'Runs terminals', ...CONFIG),
  command('db sync', 'Makes the database, or brings it to this version', ...CONFIG),
  command('db version', 'Shows the version of the database', ...CONFIG),
  command('certificates', 'Makes certificates', '--host', '--directory', '--days', '--config-file', '--config-dir'),
]

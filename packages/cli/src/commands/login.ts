import { readFileSync } from 'node:fs'
import { FORMAT, type Command } from '../args/command.ts'
import { say } from '../context.ts'
import { EXIT, messageOf } from '../failures.ts'
import { field } from '../http.ts'
import { printData } from '../output/print.ts'

export const check: Command = {
  name: 'login check',
  about: 'Logs in and says as whom, for which project and where',
  operands: '',
  count: [0, 0],
  options: FORMAT,
  run: async (args, context) => {
    const api = await context.api()
    // A token that was kept may have been taken back meanwhile.
    await api.call('GET', 'containers', { query: { limit: 1 } })
    const { user, project, endpoint, version, expiresAt, extensions } = api.session
    const expires = expiresAt > 0 ? new Date(expiresAt).toISOString() : null
    const facts = { user, project, endpoint: `${endpoint}/v1`, version, expires, extensions }
    const format = args.text('output') ?? 'table'
    if (format === 'json' || format === 'yaml') await printData(context, format, facts)
    else if (format === 'name') await say(context, user ?? '')
    else
      for (const [name, value] of Object.entries(facts))
        await say(context, `${name.padEnd(11)} ${String(value ?? '-').replaceAll(',', ', ')}`)
    return EXIT.ok
  },
}

export const version: Command = {
  name: 'version',
  about: 'Shows the version of this client and of the API of the service, if one is in reach',
  operands: '',
  count: [0, 0],
  options: {},
  run: async (_args, context) => {
    const about: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    await say(context, `client   ${String(field(about, 'version'))}`)
    try {
      const { session } = await context.api()
      await say(context, `service  ${session.endpoint} (API ${session.version})`)
    } catch (error) {
      await say(context, `service  none: ${messageOf(error)}`)
    }
    return EXIT.ok
  },
}

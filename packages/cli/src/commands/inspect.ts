import { FORMAT, type Command } from '../args/command.ts'
import { say } from '../context.ts'
import { EXIT } from '../failures.ts'
import { printData, widthOf } from '../output/print.ts'
import { printable, table } from '../output/table.ts'

export const inspect: Command = {
  name: 'inspect',
  aliases: ['show'],
  about: 'Shows all there is to know of containers',
  operands: 'CONTAINER...',
  count: [1, 100],
  completes: 'containers',
  options: FORMAT,
  run: async (args, context) => {
    const api = await context.api()
    const found = []
    for (const ident of args.operands) found.push(await api.container(ident))
    const format = args.text('output') ?? 'json'
    if (format === 'json' || format === 'yaml') await printData(context, format, found)
    else if (format === 'name') for (const { name, uuid } of found) await say(context, printable(name ?? uuid))
    else {
      for (const one of found) {
        const rows = Object.entries(one).map(([key, value]) => [
          key,
          typeof value === 'string' ? value : JSON.stringify(value),
        ])
        const columns = [{ title: 'FIELD', least: 12 }, { title: 'VALUE' }]
        await say(context, table(columns, rows, widthOf(context)).join('\n'))
      }
    }
    return EXIT.ok
  },
}

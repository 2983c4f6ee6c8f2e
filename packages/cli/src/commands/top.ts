import type { Top } from '@zund/client'
import { FORMAT, type Command } from '../args/command.ts'
import { printList } from '../output/print.ts'

export const top: Command = {
  name: 'top',
  about: 'Lists the processes of a container',
  operands: 'CONTAINER [PS-OPTION...]',
  count: [1, 20],
  stopsAt: 1,
  completes: 'containers',
  options: FORMAT,
  run: async (args, context) => {
    const [ident = '', ...ps] = args.operands
    const api = await context.api()
    const query = ps.length === 0 ? {} : { ps_args: ps.join(' ') }
    const { Titles, Processes } = await api.call<Top>('GET', `containers/${await api.uuidOf(ident)}/top`, { query })
    const rows = Processes.map((row) => Object.fromEntries(Titles.map((title, i) => [title, row[i] ?? ''])))
    await printList(context, args, rows, {
      columns: Titles.map((title) => ({ title, of: (row: Record<string, string>) => row[title] ?? '' })),
      name: (row) => row['PID'] ?? '',
    })
    return 0
  },
}

export const STYLE = `
:root{color-scheme:light dark;--line:#8885;--soft:#8881}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem;display:grid;grid-template-columns:11rem 1fr;gap:0 2rem}
header{grid-column:1/3;display:flex;flex-wrap:wrap;gap:0 2rem;align-items:baseline;border-bottom:1px solid var(--line)}
nav ul{list-style:none;padding:0;position:sticky;top:1rem}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:4px;margin:.4rem 0;padding:.3rem .7rem}
summary{cursor:pointer}summary span{margin-left:1rem}summary i{opacity:.7}
summary b{display:inline-block;min-width:4.2rem}
.get{color:#287}.post{color:#26b}.put,.patch{color:#a60}.delete{color:#b23}
table{border-collapse:collapse;width:100%}th,td{border-top:1px solid var(--line);padding:.2rem .5rem;text-align:left;vertical-align:top}
th{font-weight:normal;white-space:nowrap}h4{margin:.8rem 0 .2rem}
.schema p{margin:0;opacity:.8}.schema .schema{border-left:2px solid var(--line);padding-left:.5rem}
:target{outline:2px solid #26b}
@media(max-width:45rem){body{display:block}nav ul{position:static;columns:2}}
`

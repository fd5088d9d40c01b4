"""The style sheet and the table sorter of the HTML page, inline so that the page stands alone."""

STYLE = """
:root{--ink:#1d2430;--paper:#fff;--faint:#5b6675;--rule:#d6dbe2;--good:#1a7f37;--bad:#b3261e;
--s0:#2f6fbf;--s1:#b7791f;--s2:#7b5ea7;--s3:#c2571a;--s4:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14181f;--faint:#9aa5b4;--rule:#333c48;--good:#57c373;--bad:#ff7b72;
--s0:#6aa5ea;--s1:#e0b050;--s2:#b49be0;--s3:#ee9a5c;--s4:#ff7b72}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:70rem;margin:2rem auto;padding:0 1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dt{color:var(--faint)}dd{margin:0}
.headline{font-size:1.15rem;font-weight:600}.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));gap:1rem}
.card{border:1px solid var(--rule);border-radius:6px;padding:.7rem}.card h3{margin:0;font-size:.9rem}
.card p{margin:.15rem 0;font-size:.85rem}
.card .value{font-size:1.5rem;font-weight:600}.better{border-left:4px solid var(--good)}.worse{border-left:4px solid var(--bad)}
table{border-collapse:collapse;width:100%;font-size:.88rem}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--rule)}
th{cursor:pointer}details{margin:.4rem 0;overflow-x:auto}svg{max-width:100%}svg text{font-size:12px;fill:var(--ink)}
svg .tick{text-anchor:middle;font-size:10px}.axis{stroke:var(--rule)}polyline{fill:none;stroke-width:2}
.line,.l0{stroke:var(--s0);fill:none}circle.line,circle.l0{fill:var(--s0)}.l1{stroke:var(--s1);fill:none}circle.l1{fill:var(--s1)}
.s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}
.k0{color:var(--s0)}.k1{color:var(--s1)}.k2{color:var(--s2)}.k3{color:var(--s3)}.k4{color:var(--s4)}
.legend{font-size:.85rem;color:var(--faint)}
@media print{body{max-width:none;margin:0;font-size:11px}details{display:none}.card,svg,tr{break-inside:avoid}}
""".strip()

SORT = """
for(const head of document.querySelectorAll("th"))head.onclick=()=>{
const table=head.closest("table"),place=[...head.parentNode.children].indexOf(head);
const down=head.dataset.down!=="1";head.dataset.down=down?"1":"0";const key=row=>row.children[place].textContent;
const rows=[...table.tBodies[0].rows].sort((a,b)=>key(a).localeCompare(key(b),"en",{numeric:true})*(down?1:-1));
table.tBodies[0].append(...rows)};
""".strip()

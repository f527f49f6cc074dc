/**
 * What each LaTeX command and plain word means to the lexer. A table, no behaviour: a command that stands nowhere here
 * becomes an opaque symbol, so the tables decide coverage, never safety.
 */

/** A table without a prototype: `constructor` and `toString` are words like any other. */
function table(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.assign(Object.create(null) as Record<string, string>, entries);
}

/** Commands that only space, size or style what follows. */
export const IGNORED: ReadonlySet<string> = new Set(
  (
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle displaystyle textstyle " +
    "scriptstyle scriptscriptstyle limits nolimits quad qquad thinspace medspace thickspace negthinspace " +
    "negmedspace negthickspace enspace allowbreak nonumber notag large Large small normalsize rm bf it cal sf tt " +
    "strut hfill noindent boldmath relax mathstrut hline centering protect"
  ).split(" "),
);

/** Commands whose argument is dropped. */
export const DROPPED: ReadonlySet<string> = new Set(
  "phantom hphantom vphantom hspace vspace label tag color textcolor hskip kern mkern mspace".split(" "),
);

/** Commands whose argument is a word or, when it reads as mathematics, mathematics. */
export const TEXT: ReadonlySet<string> = new Set(
  (
    "text textrm textnormal textbf textit textsf texttt textup textsl mbox hbox emph mathrm mathit mathsf mathtt " +
    "operatorname mathop mathbf boldsymbol bold bm mathnormal mathord mathbin mathrel mathinner unit si"
  ).split(" "),
);

/** Commands that show their argument unchanged. */
export const TRANSPARENT: ReadonlySet<string> = new Set(
  "boxed fbox underline cancel bcancel xcancel ensuremath smash centerline".split(" "),
);

/** Commands and characters that mean one operator token. */
export const OPERATORS: Readonly<Record<string, string>> = table({
  cdot: "*",
  times: "*",
  ast: "*",
  star: "*",
  bullet: "*",
  div: "/",
  pm: "±",
  mp: "∓",
  lt: "<",
  gt: ">",
  le: "≤",
  leq: "≤",
  leqslant: "≤",
  leqq: "≤",
  ge: "≥",
  geq: "≥",
  geqslant: "≥",
  geqq: "≥",
  ne: "≠",
  neq: "≠",
  eq: "=",
  equiv: "≡",
  approx: "≈",
  approxeq: "≈",
  doteq: "≈",
  simeq: "≈",
  sim: "∼",
  cong: "≅",
  propto: "∝",
  in: "∈",
  notin: "∉",
  ni: "∋",
  subset: "⊂",
  subseteq: "⊆",
  supset: "⊃",
  supseteq: "⊇",
  perp: "⊥",
  parallel: "∥",
  mid: "∣",
  nmid: "∤",
  colon: ":",
  implies: "⇒",
  Rightarrow: "⇒",
  Longrightarrow: "⇒",
  Leftarrow: "⇐",
  impliedby: "⇐",
  iff: "⇔",
  Leftrightarrow: "⇔",
  Longleftrightarrow: "⇔",
  rightarrow: "→",
  longrightarrow: "→",
  to: "→",
  mapsto: "→",
  longmapsto: "→",
  leftarrow: "←",
  gets: "←",
  leftrightarrow: "↔",
  cup: "∪",
  bigcup: "∪",
  cap: "∩",
  bigcap: "∩",
  setminus: "∖",
  smallsetminus: "∖",
  backslash: "∖",
  land: ",",
  wedge: ",",
  lor: ",",
  vee: ",",
  lbrace: "\\{",
  rbrace: "\\}",
  lbrack: "[",
  rbrack: "]",
  langle: "⟨",
  rangle: "⟩",
  lvert: "|",
  rvert: "|",
  vert: "|",
  lVert: "‖",
  rVert: "‖",
  Vert: "‖",
  prime: "'",
  over: "over",
  atop: "over",
  choose: "choose",
  bmod: "mod",
  mod: "mod",
  pmod: "pmod",
  circ: "∘",
  degree: "°",
  cr: "\\\\",
});

/** Characters outside ASCII letters and digits, as the command or operator they stand for. */
export const CHARACTERS: Readonly<Record<string, string>> = table({
  "·": "*",
  "⋅": "*",
  "×": "*",
  "∗": "*",
  "⋆": "*",
  "÷": "/",
  "∕": "/",
  "⁄": "/",
  "−": "-",
  "–": "-",
  "—": "-",
  "‐": "-",
  "±": "±",
  "∓": "∓",
  "≤": "≤",
  "⩽": "≤",
  "≥": "≥",
  "⩾": "≥",
  "≠": "≠",
  "≡": "≡",
  "≈": "≈",
  "≅": "≅",
  "∼": "∼",
  "∈": "∈",
  "∉": "∉",
  "⊂": "⊂",
  "⊆": "⊆",
  "⊃": "⊃",
  "⊇": "⊇",
  "⊥": "⊥",
  "∥": "∥",
  "∣": "|",
  "⇒": "⇒",
  "⟹": "⇒",
  "⇔": "⇔",
  "→": "→",
  "∪": "∪",
  "∩": "∩",
  "∖": "∖",
  "°": "°",
  "′": "'",
  "’": "'",
  "，": ",",
  "；": ";",
  "：": ":",
  "（": "(",
  "）": ")",
  "＝": "=",
  "＋": "+",
  "∧": ",",
  "∨": ",",
});

/** Characters that mean a command. */
export const CHARACTER_COMMANDS: Readonly<Record<string, string>> = table({
  π: "pi",
  "∞": "infty",
  "√": "sqrt",
  "∅": "emptyset",
  "∑": "sum",
  "∏": "prod",
  "∫": "int",
  "∠": "angle",
  "△": "triangle",
  "∆": "triangle",
  "⌊": "lfloor",
  "⌋": "rfloor",
  "⌈": "lceil",
  "⌉": "rceil",
  "…": "ldots",
  "⋯": "cdots",
  "∂": "partial",
  "∀": "forall",
  "∃": "exists",
  "¬": "neg",
});

/** Superscript and subscript characters as ASCII. */
export const SUPERSCRIPTS: Readonly<Record<string, string>> = table({
  "⁰": "0",
  "¹": "1",
  "²": "2",
  "³": "3",
  "⁴": "4",
  "⁵": "5",
  "⁶": "6",
  "⁷": "7",
  "⁸": "8",
  "⁹": "9",
  "⁻": "-",
  "⁺": "+",
  ⁿ: "n",
});
export const SUBSCRIPTS: Readonly<Record<string, string>> = table({
  "₀": "0",
  "₁": "1",
  "₂": "2",
  "₃": "3",
  "₄": "4",
  "₅": "5",
  "₆": "6",
  "₇": "7",
  "₈": "8",
  "₉": "9",
});

/** Greek letters and other commands that are plain symbols. Variant shapes share the letter's name. */
export const SYMBOLS: Readonly<Record<string, string>> = table(
  Object.fromEntries([
    ...(
      "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega " +
      "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar aleph nabla partial Re Im wp imath jmath " +
      "emptyset clubsuit spadesuit heartsuit diamondsuit Box square blacksquare bigstar checkmark odot oplus ominus " +
      "otimes dagger ldots forall exists neg therefore because top bot diamond Diamond bigcirc natural sharp flat triangleleft " +
      "triangleright uparrow downarrow amp underscore hash lozenge"
    )
      .split(" ")
      .map((name) => [name, name]),
    ["varepsilon", "epsilon"],
    ["vartheta", "theta"],
    ["varphi", "phi"],
    ["varrho", "rho"],
    ["varsigma", "sigma"],
    ["varkappa", "kappa"],
    ["varnothing", "emptyset"],
    ["dots", "ldots"],
    ["cdots", "ldots"],
    ["dotsb", "ldots"],
    ["dotsc", "ldots"],
    ["dotsm", "ldots"],
    ["dotsi", "ldots"],
    ["dotso", "ldots"],
    ["vdots", "ldots"],
    ["ddots", "ldots"],
    ["lnot", "neg"],
    ["blacktriangle", "triangle"],
  ]),
);

/** Named functions of one argument that may be written without parentheses; synonyms share one name. */
export const FUNCTIONS: Readonly<Record<string, string>> = table({
  sin: "sin",
  cos: "cos",
  tan: "tan",
  tg: "tan",
  cot: "cot",
  ctg: "cot",
  sec: "sec",
  csc: "csc",
  cosec: "csc",
  arcsin: "arcsin",
  asin: "arcsin",
  arccos: "arccos",
  acos: "arccos",
  arctan: "arctan",
  atan: "arctan",
  arctg: "arctan",
  arccot: "arccot",
  sinh: "sinh",
  cosh: "cosh",
  tanh: "tanh",
  coth: "coth",
  arcsinh: "arcsinh",
  arccosh: "arccosh",
  arctanh: "arctanh",
  log: "log",
  lg: "log",
  ln: "ln",
  exp: "exp",
  det: "det",
  dim: "dim",
  ker: "ker",
  deg: "degree",
  arg: "arg",
  sgn: "sgn",
  sign: "sgn",
  abs: "abs",
  floor: "floor",
  ceil: "ceil",
  cis: "cis",
  Pr: "Pr",
  erf: "erf",
  tr: "tr",
  rank: "rank",
  ord: "ord",
  lcm: "lcm",
  gcd: "gcd",
  max: "max",
  min: "min",
  sup: "sup",
  inf: "inf",
});

/** Commands that decorate a name. */
export const ACCENTS: ReadonlySet<string> = new Set(
  (
    "overline overrightarrow overleftarrow vec hat widehat bar dot ddot tilde widetilde mathbb mathcal mathfrak " +
    "mathscr check breve acute grave overarc overparen arc wideparen"
  ).split(" "),
);

/** Plain words read as commands wherever letters stand together. */
export const WORDS: Readonly<Record<string, string>> = table({
  pi: "pi",
  Pi: "Pi",
  sqrt: "sqrt",
  infty: "infty",
  infinity: "infty",
  Infinity: "infty",
  inf: "infty",
  oo: "infty",
  and: ",",
  or: ",",
  mod: "mod",
  cup: "cup",
  percent: "%",
  percentage: "%",
  pct: "%",
});

/** Unit words in one spelling, read as units in `\text{}` and after a number. */
export const UNITS: Readonly<Record<string, string>> = table(
  Object.fromEntries(
    (
      "cm:cm,centimeter,centimeters,centimetre,centimetres mm:mm,millimeter,millimeters km:km,kilometer,kilometers " +
      "m:meter,meters,metre,metres in:in,inch,inches ft:ft,foot,feet yd:yd,yard,yards mi:mi,mile,miles " +
      "s:sec,secs,second,seconds min:minute,minutes,mins h:hr,hrs,hour,hours day:day,days week:week,weeks " +
      "month:month,months year:yr,yrs,year,years kg:kg,kilogram,kilograms g:gram,grams mg:mg lb:lb,lbs,pound,pounds " +
      "oz:oz,ounce,ounces unit:unit,units deg:degree,degrees,deg cent:cent,cents dollar:dollar,dollars,usd " +
      "mph:mph Hz:Hz,hz ml:ml,mL L:liter,liters,litre,litres K:kelvin J:joule,joules N:newton,newtons W:watt,watts " +
      "eV:eV MeV:MeV GeV:GeV kJ:kJ kcal:kcal cal:calorie,calories mol:mol,mole,moles rad:rad,radian,radians " +
      "kW:kW kPa:kPa Pa:Pa rpm:rpm nm:nm kHz:kHz MHz:MHz GHz:GHz km/h:kmh pc:pc AU:AU"
    )
      .split(" ")
      .flatMap((entry) => {
        const [unit, names] = entry.split(":") as [string, string];
        return names.split(",").map((name) => [name, unit]);
      }),
  ),
);

/** Greek letters typed as characters. */
export const GREEK: Readonly<Record<string, string>> = table(
  Object.fromEntries(
    [..."αβγδεζηθικλμνξρστυφχψωΓΔΘΛΞΠΣΦΨΩℓϕϵ"].map((letter, i) => [
      letter,
      (
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi " +
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell phi epsilon"
      ).split(" ")[i] as string,
    ]),
  ),
);

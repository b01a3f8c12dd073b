// Finds and folds words, so that composition, accents and case do not matter. Takes linear time, since texts may be
// hostile.

/** A word with its marks, and numbers with their decimals. In languages without spaces it is a whole run of text. */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[.,]\p{N}+)*/gu;
const ASCII = /^[\0-\x7f]*$/;
/** Accents, Hebrew points and Arabic vowels. Marks of other scripts are letters by right. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]/g;
/** Letters that Unicode does not decompose. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ı: "i",
  ς: "σ",
  ى: "ي",
  ة: "ه",
};
const UNCOMMON = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");
/** Characters normalized at once: the time grows with the square of the number of marks. */
const PIECE_CHARS = 256;

/** The words of `text` as written. */
export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** The words of `text`, each with its start. */
export function* placesOf(text: string): Generator<{ readonly word: string; readonly start: number }> {
  for (const found of text.matchAll(WORD)) yield { word: found[0], start: found.index };
}

/** The form in which words are compared. */
export function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  let folded = "";
  for (let start = 0; start < word.length; start += PIECE_CHARS) {
    folded += foldPiece(word.slice(start, start + PIECE_CHARS));
  }
  return folded;
}

function foldPiece(piece: string): string {
  return piece
    .toLowerCase()
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .normalize("NFKC")
    .replace(UNCOMMON, (letter) => LETTERS[letter] ?? letter);
}

// Words of other languages than English that ask or join, as keyWords leaves them out: a question is held against a
// text by its other words. Left out are those that mean something in English ("die", "war"). In the form in which words
// are compared.

const LISTS = [
  // German, Dutch
  "wie wer wen wem wessen wann wo wohin woher warum weshalb welche welcher welches welchem welchen der das dem des ein eine einen einem einer und oder ist sind wird werden wurde hat haben im zu zum zur von vom mit auf fur uber heisst viel viele gibt es sich nicht wat wie wanneer waar waarom welke het een zijn wordt hoe hoeveel",
  // French
  "que quoi quel quelle quels quelles qui quand ou pourquoi comment combien le les une des du au aux et est sont dans sur pour par avec ce cette il elle on se",
  // Spanish, Portuguese, Italian
  "que cual cuales quien quienes cuando donde como cuanto cuantos cuanta cuantas por para el los las una del al y o es son esta en con se lo qual quais quem quando onde quanto quantos quanta quantas porque os um uma da dos das na nos nas e sao chi che cosa quale quali dove perche come il lo gli un uno di del della dei nel nella per si chiama",
  // Polish, Czech, Turkish, Swedish
  "kto co kiedy gdzie dlaczego jak jaki jaka jakie ile jest sa w z na sie kdo kdy kde proc kolik je kim ne zaman nerede neden nasil kac hangi bir ve ile icin mi nedir vem vad nar var varfor hur och ett ar som det",
  // Russian, Ukrainian
  "кто что когда где куда откуда почему зачем как какой какая какое какие каком какую сколько чей чья и в во на с со к о об от до по из за у это ли не есть был была было были находится называется зовут хто що коли де чому як який скільки і у є це",
  // Greek
  "ποιος ποια ποιο τι ποτε που γιατι πωσ ποσο ποσα ο η το οι τα τον την του τησ των και ειναι σε στο στη στην με για απο",
  // Arabic, Hebrew
  "من ما ماذا متي اين لماذا كيف كم هل اي في علي الي عن مع هو هي هذا هذه التي الذي و מי מה מתי איפה היכן למה מדוע איך כמה האם של את על עם הוא היא זה",
  // Hindi
  "कौन क्या कब कहाँ कहां क्यों कैसे कितना कितने कितनी किस किसने किसका का की के को में से पर है हैं था थी थे और ने",
  // Chinese
  "的 是 在 了 和 与 及 或 也 都 就 有 被 把 从 到 对 为 于 什么 谁 哪 哪里 哪个 哪些 哪儿 何时 怎么 怎样 如何 为什么 多少 几 吗 呢 叫 叫做 什麼 誰 哪裡 哪個 怎麼 為什麼 嗎 與 從 對",
  // Japanese
  "です ます した する いる ある この その これ それ どこ だれ なに なん いつ なぜ どう どの どれ どんな いくつ いくら 誰 何 から まで ため でし ました ください ますか という",
  // Thai
  "ที่ ของ และ คือ เป็น อยู่ ใน อะไร ใคร ไหน เมื่อไร เมื่อไหร่ อย่างไร ทำไม กี่ เท่าไร เท่าไหร่ มี ไหม ได้ ให้ กับ จาก ว่า",
];

/** Stop words of other languages than English, folded. */
export const FOREIGN_STOP_WORDS: ReadonlySet<string> = new Set(LISTS.flatMap((list) => wordsOf(list)).map(fold));

const KOREAN = ["무엇", "누구", "누가", "어디", "언제", "어떻게", "어느", "어떤", "얼마", "왜", "몇"];

/** Whether a Korean word asks. Endings are part of the word. */
export function isAskingInKorean(word: string): boolean {
  return KOREAN.some((beginning) => word.startsWith(beginning));
}

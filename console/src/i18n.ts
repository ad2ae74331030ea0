/* Which words the pages use: chosen once, remembered, handed down. */
import { createContext, useContext } from "react";

import { type Language, type Words, tables } from "./words";

const WordsContext = createContext<{ language: Language; words: Words }>({
  language: "en",
  words: tables.en,
});
export const WordsProvider = WordsContext.Provider;
export const useWords = () => useContext(WordsContext);

const LANGUAGE_KEY = "cairn.language";

/** What was chosen last, else what the browser prefers. */
export function initialLanguage(): Language {
  const chosen = localStorage.getItem(LANGUAGE_KEY);
  if (chosen === "en" || chosen === "zh") return chosen;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(LANGUAGE_KEY, language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

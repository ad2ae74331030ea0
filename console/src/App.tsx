import { ConfigProvider, Layout, Menu, Segmented } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import dayjs from "dayjs";
import "dayjs/locale/zh-cn";
import { useEffect, useMemo, useState } from "react";

import { FunnelPage } from "./FunnelPage";
import { WordsProvider, initialLanguage, rememberLanguage } from "./i18n";
import { LivePage } from "./LivePage";
import { useLive } from "./live";
import { type Language, tables } from "./words";

const theme = {
  token: {
    colorPrimary: "#0f766e",
    colorInfo: "#0f766e",
    borderRadius: 8,
    fontFamily:
      'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "PingFang SC", ' +
      '"Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  },
};

type Page = "live" | "funnel";

function pageOfAddress(): Page {
  return location.hash === "#/funnel" ? "funnel" : "live";
}

export function App() {
  const [language, setLanguage] = useState<Language>(initialLanguage);
  const [page, setPage] = useState<Page>(pageOfAddress);
  const live = useLive();
  const words = tables[language];

  useEffect(() => {
    rememberLanguage(language);
    dayjs.locale(language === "zh" ? "zh-cn" : "en");
  }, [language]);
  useEffect(() => {
    const follow = () => setPage(pageOfAddress());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);

  const context = useMemo(() => ({ language, words }), [language, words]);
  return (
    <ConfigProvider theme={theme} locale={language === "zh" ? zhCN : enUS}>
      <WordsProvider value={context}>
        <Layout className="frame">
          <Layout.Header className="top">
            <img src={`${import.meta.env.BASE_URL}cairn.svg`} alt="" width={26} height={26} />
            <strong className="brand">Cairn</strong>
            <Menu
              className="pages"
              mode="horizontal"
              selectedKeys={[page]}
              onClick={({ key }) => (location.hash = `#/${key}`)}
              items={[
                { key: "live", label: words.live },
                { key: "funnel", label: words.funnel },
              ]}
            />
            <Segmented
              aria-label="Language / 语言"
              value={language}
              onChange={(value) => setLanguage(value as Language)}
              options={[
                { value: "en", label: "English" },
                { value: "zh", label: "中文" },
              ]}
            />
          </Layout.Header>
          <Layout.Content className="content">
            {page === "live" ? <LivePage live={live} /> : <FunnelPage seen={live.names} />}
          </Layout.Content>
        </Layout>
      </WordsProvider>
    </ConfigProvider>
  );
}

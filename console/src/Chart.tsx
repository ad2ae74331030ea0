/* One ECharts canvas that follows its box and its options. */
import { BarChart, FunnelChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";

echarts.use([BarChart, FunnelChart, GridComponent, TooltipComponent, CanvasRenderer]);

export function Chart(props: { option: echarts.EChartsCoreOption; height: number; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | null>(null);

  useEffect(() => {
    const made = echarts.init(box.current!);
    const follow = new ResizeObserver(() => made.resize());
    follow.observe(box.current!);
    chart.current = made;
    return () => {
      follow.disconnect();
      made.dispose();
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(props.option, { notMerge: true });
  }, [props.option]);

  return <div ref={box} style={{ height: props.height }} role="img" aria-label={props.label} />;
}

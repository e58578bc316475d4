import { mount } from "@/parts/App";
import { Portal } from "./Portal";

mount(<Portal />);

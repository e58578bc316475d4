import { mount } from "@/parts/App";
import { Console } from "./Console";

mount(<Console />);

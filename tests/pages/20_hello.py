"""Hello: a page that is this file alone."""

import streamlit as st

from textgen.ui import widgets
from textgen.ui.messages import t

WORDS = {
    "ko": {"title": "안녕", "intro": "이 파일 하나로 된 페이지입니다.", "hidden": "은닉 {size}"},
    "en": {"title": "Hello", "intro": "A page that is one file.", "hidden": "hidden {size}"},
}

widgets.header("hello")
size = st.slider("size", 1, 9, 3, key="size", bind="query-params")
st.caption(t("hello.hidden", size=size))

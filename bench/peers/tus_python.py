"""tuspyserver as its manual starts it: FastAPI on uvicorn. TUS_FILES names the folder."""

import os

from fastapi import FastAPI
from tuspyserver import create_tus_router

app = FastAPI()
app.include_router(create_tus_router(prefix="files", files_dir=os.environ["TUS_FILES"]))

# The app for a class, as an ordinary user. What is trained there lies in the volume:
#   docker build -t textgen .
#   docker run --rm -p 8501:8501 -v textgen:/home/learner textgen
FROM python:3.13-slim

COPY . /build
RUN pip install --no-cache-dir "/build[app,files]" && rm -rf /build

RUN useradd --create-home learner
USER learner
# the folder `runs` in it is where the app trains
WORKDIR /home/learner
VOLUME /home/learner

EXPOSE 8501
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8501/_stcore/health')"]
CMD ["textgen", "app", "--host", "0.0.0.0"]
